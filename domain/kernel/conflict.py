class Conflict(Exception):
    """The state of an aggregate does not allow the operation.

    raise Conflict("is-lent", "The book is lent already.")

    `name` is stable and identifies the conflict for programs: lower case words joined by hyphens.
    `message` is a sentence for people.
    """

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name
        self.message = message
