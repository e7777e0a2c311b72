"""What can go wrong with a database, beside what the application knows by name."""

from application.kernel.errors import (
    ApplicationError,
    DataConflict,
    InvalidValue,
    StorageUnavailable,
)


class ConnectionLost(StorageUnavailable):
    """The connection broke, or was given up, while a statement was under way: the statement may
    have been carried out."""


class NoResponse(ConnectionLost):
    """The database did not respond in time, and would hardly respond to a repetition."""


class ConnectionUnfit(StorageUnavailable):
    """The server rejected a statement for the state of its connection, as a server does that has
    become a standby. The connection is to be closed: the next one may be in order."""


class SchemaMissing(StorageUnavailable):
    """A table or a column is not there: the schema is not the one of this version."""


class ConstraintViolated(ApplicationError):
    """A constraint of the schema rejected a row."""

    def __init__(self, constraint: str) -> None:
        super().__init__(f"the constraint {constraint} rejected a row")
        self.constraint = constraint


class ValueConstraintViolated(ConstraintViolated, InvalidValue):
    """A constraint on the values of one row rejected it: a check, or NOT NULL."""


class KeyConstraintViolated(ConstraintViolated, DataConflict):
    """A constraint that concerns other rows rejected a row: a unique or a foreign key."""
