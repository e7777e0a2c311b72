"""Translate the errors of asyncpg, sqlite3, SQLAlchemy and the operating system into the
application's."""

import sqlite3
import ssl
from typing import Any, cast

import asyncpg
import sqlalchemy.exc

from adapters.sql.kernel.errors import connection_errors
from adapters.sql.kernel.errors.sqlite_codes import VALUE_CONSTRAINTS, meaning_of_sqlite_error
from adapters.sql.kernel.errors.sqlstates import meaning_of_sqlstate
from adapters.sql.kernel.errors.storage_errors import (
    ConnectionLost,
    ConnectionUnfit,
    ConstraintViolated,
    KeyConstraintViolated,
    NoResponse,
    SchemaMissing,
    ValueConstraintViolated,
)
from application.kernel.errors import (
    ApplicationError,
    InvalidValue,
    StorageUnavailable,
    TransactionConflict,
)

__all__ = [
    "ConnectionLost",
    "ConnectionUnfit",
    "ConstraintViolated",
    "NoResponse",
    "SchemaMissing",
    "cannot_connect",
    "meaning_of",
    "translated",
]


def translated(error: BaseException) -> ApplicationError | None:  # noqa: PLR0911, PLR0912
    """Return the application's error for a driver's error. Return None for a defect or a
    cancellation, which no handler should catch.

    The driver's text is dropped: it may contain values of rows or addresses.
    """
    match error:
        case ApplicationError():
            return error
        case asyncpg.PostgresError():
            return _of_postgresql(error)
        case UnicodeEncodeError() | OverflowError():
            return InvalidValue("the database cannot store a value")
        case ssl.SSLError():  # a certificate error is a ValueError too
            return ConnectionLost(connection_errors.reason(error))
        case ValueError():
            return None
        case asyncpg.InterfaceError() if "closed" not in str(error):
            return None  # the driver rejects a call on a working connection: a defect
        case asyncpg.OutdatedSchemaCacheError():
            return None
        case asyncpg.InterfaceError() | asyncpg.InternalClientError():
            return ConnectionLost("the connection to the database broke")
        case sqlite3.IntegrityError():
            return _constraint_of_sqlite(error)
        case sqlite3.Error():
            return meaning_of_sqlite_error(error)
        case sqlalchemy.exc.TimeoutError():
            return StorageUnavailable("no connection to the database became free in time")
        case sqlalchemy.exc.DBAPIError() | sqlalchemy.exc.EmulatedDBAPIException():
            cause = error.__cause__ or error.__context__
            return translated(cause) if cause else None
        case TimeoutError() if error.errno is None:
            return NoResponse("the database does not respond")
        case OSError():
            return ConnectionLost(connection_errors.reason(error))
        case _:
            return None


def meaning_of(error: BaseException) -> BaseException:
    """Return the error to raise instead: the translation, or the error itself if it has none."""
    meaning = translated(error)
    if meaning is None or meaning is error:
        return error
    meaning.__cause__ = error
    return meaning


def cannot_connect(error: Exception) -> StorageUnavailable:
    """Return the error to raise if connecting failed with any error: no statement was in progress,
    and the request is not the cause."""
    words = translated(error) or f"a connection cannot be made ({type(error).__name__})"
    return StorageUnavailable(str(words))


def _of_postgresql(error: asyncpg.PostgresError) -> ApplicationError | None:
    match error:
        case asyncpg.NotNullViolationError() | asyncpg.CheckViolationError():
            return ValueConstraintViolated(_name_of(error))
        case asyncpg.IntegrityConstraintViolationError():
            return KeyConstraintViolated(_name_of(error))
        case asyncpg.InvalidCachedStatementError():
            return TransactionConflict("the schema was changed since a statement was prepared")
        case asyncpg.DataError() if isinstance(error.__cause__, TypeError | AttributeError):
            return None  # the program passed a value of a wrong type: a defect
        case _:
            return meaning_of_sqlstate(str(error.sqlstate))


def _name_of(error: asyncpg.PostgresError) -> str:
    # Before PostgreSQL 18, NOT NULL constraints have no name: use the column's.
    details = cast(Any, error)
    return str(details.constraint_name or details.column_name)


def _constraint_of_sqlite(error: sqlite3.IntegrityError) -> ApplicationError:
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CONSTRAINT)
    if code == sqlite3.SQLITE_MISMATCH:
        return InvalidValue("SQLite rejected a value of another type")
    kind = ValueConstraintViolated if code in VALUE_CONSTRAINTS else KeyConstraintViolated
    return kind(_name_in(error))


def _name_in(error: sqlite3.IntegrityError) -> str:
    """Return what SQLite reports of a violated constraint: the name of a CHECK, the columns of a
    unique key (`UNIQUE constraint failed: table.column`). `SqliteConstraints` finds the name."""
    return str(error).rpartition(": ")[2]
