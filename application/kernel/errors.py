"""The errors of use cases.

Adapters translate the errors of their drivers into these; entrypoints translate these into
responses.
"""

from uuid import UUID


class ApplicationError(Exception):
    """A use case could not do its work."""


class AggregateError(ApplicationError):
    """The operation is not possible for the aggregate with this id. `kind` is its name in a
    sentence, such as "order line"."""

    def __init__(self, kind: str, entity_id: UUID) -> None:
        super().__init__(kind, entity_id)
        self.kind = kind
        self.id = entity_id


class NotFound(AggregateError):
    """There is no aggregate with this id."""


class AlreadyExists(AggregateError):
    """There is an aggregate with this id already."""


class VersionMismatch(AggregateError):
    """Its version is not one of those that the change expects."""


class StaleVersion(AggregateError):
    """Its version is no longer the one that was read: another change came between. The use case
    may be retried, which reads it again."""


class KeyInProgress(ApplicationError):
    """A request with this idempotency key is in progress, or was a moment ago."""

    def __init__(self, key: str) -> None:
        super().__init__("a request with this key is in progress")
        self.key = key


class KeyReused(ApplicationError):
    """This idempotency key was used for another request."""

    def __init__(self, key: str) -> None:
        super().__init__("the key was used for another request")
        self.key = key


class StorageUnavailable(ApplicationError):
    """The storage is not available. Nothing was changed: the use case may be retried."""


class TransactionConflict(StorageUnavailable):
    """The storage rolled this unit of work back because of a concurrent one (a serialization
    failure or a deadlock). Nothing was changed: the use case may be retried at once."""


class OutcomeUnknown(ApplicationError):
    """The storage was lost during the commit: the change may have been made or not."""


class StorageFull(ApplicationError):
    """The storage has no space left. Nothing was changed; reads still work."""


class InvalidValue(ApplicationError):
    """The storage rejected a value that the domain's rules accept: it is out of range, has the
    wrong form, or has a character that cannot be stored. Nothing was changed."""


class DataConflict(ApplicationError):
    """The storage rejected a change that conflicts with stored data: a key that is taken, or one
    that other data refer to. Nothing was changed."""
