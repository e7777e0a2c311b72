from itertools import count
from uuid import UUID


class CountingIds:
    """An `IdSource` that counts from one."""

    def __init__(self) -> None:
        self._numbers = count(1)

    def new_id(self) -> UUID:
        return UUID(int=next(self._numbers))
