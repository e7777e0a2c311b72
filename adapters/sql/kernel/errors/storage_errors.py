"""Errors of a database that only the SQL adapters distinguish."""

from application.kernel.errors import (
    ApplicationError,
    DataConflict,
    InvalidValue,
    StorageUnavailable,
)


class ConnectionLost(StorageUnavailable):
    """The connection was lost or given up during a statement: the statement may have been
    executed."""


class NoResponse(ConnectionLost):
    """The database did not respond in time (timeout); a retry would hardly get a response."""


class ConnectionUnfit(StorageUnavailable):
    """The server rejected a statement because of the state of its connection, such as after it
    became a standby. The connection must be closed; a new one may work."""


class SchemaMissing(StorageUnavailable):
    """A table or a column is missing: the schema is not the one that this version needs."""


class ConstraintViolated(ApplicationError):
    """A constraint of the schema rejected a row."""

    def __init__(self, constraint: str) -> None:
        super().__init__(f"the constraint {constraint} rejected a row")
        self.constraint = constraint


class ValueConstraintViolated(ConstraintViolated, InvalidValue):
    """A constraint on the values of one row: CHECK or NOT NULL."""


class KeyConstraintViolated(ConstraintViolated, DataConflict):
    """A constraint that depends on other rows: a unique, primary or foreign key."""
