"""What can go wrong in a use case, in the application's own words.

Adapters translate what their drivers raise into these; entrypoints translate these into
answers.
"""

from uuid import UUID


class ApplicationError(Exception):
    """Something that a use case could not do."""


class ExampleItemRefusal(ApplicationError):
    """What was asked cannot be done with the item of this id."""

    def __init__(self, item_id: UUID) -> None:
        super().__init__(item_id)
        self.item_id = item_id


class ExampleItemNotFound(ExampleItemRefusal):
    """There is no item of this id."""


class VersionMismatch(ExampleItemRefusal):
    """The item is none of the versions that the change is meant for."""


class StaleVersion(ExampleItemRefusal):
    """The item is no longer the version that was read: another change came between. The use case
    may be retried, which reads the item anew."""


class DuplicateId(ExampleItemRefusal):
    """An item of this id exists already."""


class KeyInProgress(ApplicationError):
    """A request of this idempotency key is being carried out, or was a moment ago."""

    def __init__(self, key: str) -> None:
        super().__init__("a request of this key is in progress")
        self.key = key


class KeyReused(ApplicationError):
    """Another request was carried out with this idempotency key."""

    def __init__(self, key: str) -> None:
        super().__init__("the key belongs to another request")
        self.key = key


class StorageUnavailable(ApplicationError):
    """The storage cannot be used now. Nothing was changed: the use case may run again."""


class TransactionConflict(StorageUnavailable):
    """The storage chose this unit of work as the one to give way (a serialization failure or
    a deadlock). Nothing was changed: the use case may run again at once."""


class OutcomeUnknown(ApplicationError):
    """The storage was lost while it committed: the change may have been made or not."""


class StorageFull(ApplicationError):
    """The storage has no room left. Nothing was changed; reading goes on."""


class InvalidValue(ApplicationError):
    """The storage rejected a value that no rule of the domain forbids: it is out of range, of
    another form, or has a character that cannot be stored. Nothing was changed."""


class DataConflict(ApplicationError):
    """The storage rejected a change that does not go with what is stored: a key that is taken, or
    one that other data need. Nothing was changed."""
