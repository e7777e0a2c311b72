"""What can go wrong in a use case, in the application's own words.

Adapters translate what their drivers raise into these; entrypoints translate these into
responses.
"""

from uuid import UUID


class ApplicationError(Exception):
    """Something that a use case could not do."""


class AggregateError(ApplicationError):
    """What was asked cannot be done with the aggregate of this id. `kind` is what it is called in
    a sentence, such as "order line"."""

    def __init__(self, kind: str, entity_id: UUID) -> None:
        super().__init__(kind, entity_id)
        self.kind = kind
        self.id = entity_id


class NotFound(AggregateError):
    """There is none of this id."""


class AlreadyExists(AggregateError):
    """There is one of this id already."""


class VersionMismatch(AggregateError):
    """Its version is none of those that the change is meant for."""


class StaleVersion(AggregateError):
    """Its version is no longer the one that was read: another change came between. The use case
    may be retried, which reads it anew."""


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
    """The storage is not available. Nothing was changed: the use case may be retried."""


class TransactionConflict(StorageUnavailable):
    """The storage chose this unit of work as the one to give way (a serialization failure or
    a deadlock). Nothing was changed: the use case may be retried at once."""


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
