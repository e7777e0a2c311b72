"""What the drivers raise, in the application's words."""

import sqlite3

import asyncpg
import sqlalchemy.exc
from sqlalchemy import Index, PrimaryKeyConstraint, Table, UniqueConstraint

from adapters.sql.tables import metadata
from application.errors import (
    ApplicationError,
    StorageFull,
    StorageUnavailable,
    TransactionConflict,
)


class ConnectionLost(StorageUnavailable):
    """The connection broke, or was given up, while a statement was under way: the statement may
    have been carried out."""


class NoAnswer(ConnectionLost):
    """The database did not answer in time, and would hardly answer a repetition."""


class SchemaMissing(StorageUnavailable):
    """A table or a column is not there: the schema is not the one of this version."""


class ConstraintViolated(ApplicationError):
    """A constraint of the schema refused a row."""

    def __init__(self, constraint: str) -> None:
        super().__init__(f"the constraint {constraint} refused a row")
        self.constraint = constraint


# SQLSTATE by its first characters, the longest match first, with words for the log:
# https://www.postgresql.org/docs/current/errcodes-appendix.html
_BY_SQLSTATE: tuple[tuple[str, type[ApplicationError], str], ...] = (
    ("53100", StorageFull, "the database's disk is full"),
    ("53300", StorageUnavailable, "the database has no connection left"),
    ("40001", TransactionConflict, "the database had a transaction give way"),
    ("40P01", TransactionConflict, "the database ended a deadlock"),
    ("55P03", StorageUnavailable, "another transaction held a lock for too long"),
    ("57014", StorageUnavailable, "the database stopped a statement, most often a late one"),
    ("57P0", ConnectionLost, "the database shuts down, starts, or ended the connection"),
    ("25006", StorageUnavailable, "the database may only be read, as a standby"),
    ("42P01", SchemaMissing, "a table is missing"),
    ("42703", SchemaMissing, "a column is missing"),
    ("53", StorageUnavailable, "the database has run out of a resource"),
    ("08", ConnectionLost, "the connection to the database broke"),
    ("28", StorageUnavailable, "the database refuses the user or the password"),
    ("3D", StorageUnavailable, "there is no such database"),
)

# The low byte of a result code: https://www.sqlite.org/rescode.html
_BY_SQLITE_CODE: dict[int, type[ApplicationError]] = {
    sqlite3.SQLITE_BUSY: StorageUnavailable,
    sqlite3.SQLITE_LOCKED: StorageUnavailable,
    sqlite3.SQLITE_INTERRUPT: StorageUnavailable,
    sqlite3.SQLITE_CANTOPEN: StorageUnavailable,
    sqlite3.SQLITE_READONLY: StorageUnavailable,
    sqlite3.SQLITE_NOTADB: StorageUnavailable,
    sqlite3.SQLITE_CORRUPT: StorageUnavailable,
    sqlite3.SQLITE_IOERR: StorageUnavailable,
    sqlite3.SQLITE_FULL: StorageFull,
}
# What a quota and a limit on the size of files bring about, which SQLite does not tell from a
# broken disk. Either way nothing can be written, and what is there can be read.
_SQLITE_CANNOT_GROW = {sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE}


def translated(error: BaseException) -> ApplicationError | None:  # noqa: PLR0911
    """Return what the error means to the application, or None if it is a defect or a
    cancellation, which nobody should catch. No text of the driver's is kept: it may hold
    values of rows or addresses."""
    match error:
        case ApplicationError():
            return error
        case asyncpg.IntegrityConstraintViolationError():
            return ConstraintViolated(str(error.constraint_name))
        case asyncpg.PostgresError():
            return _first_match(str(error.sqlstate))
        case ValueError():  # a value that the driver cannot encode
            return None
        case asyncpg.InterfaceError() | asyncpg.InternalClientError():
            return ConnectionLost("the connection to the database broke")
        case sqlite3.IntegrityError():
            return ConstraintViolated(constraint_of(error))
        case sqlite3.Error():
            return _of_sqlite(error)
        case sqlalchemy.exc.TimeoutError():
            return StorageUnavailable("no connection to the database became free in time")
        case sqlalchemy.exc.DBAPIError() | sqlalchemy.exc.DontWrapMixin():
            cause = error.__cause__ or error.__context__
            return translated(cause) if cause else None
        case TimeoutError():
            return NoAnswer("the database does not answer")
        case OSError():
            return ConnectionLost("the database cannot be reached")
        case _:
            cause = error.__cause__
            return translated(cause) if isinstance(cause, asyncpg.PostgresError) else None


def meaning_of(error: BaseException) -> BaseException:
    """Return what to raise in the error's place: its translation, or itself if it has none."""
    meaning = translated(error)
    if meaning is None or meaning is error:
        return error
    meaning.__cause__ = error
    return meaning


def _first_match(sqlstate: str) -> ApplicationError | None:
    for start, error, words in _BY_SQLSTATE:
        if sqlstate.startswith(start):
            return error(f"{words} (SQLSTATE {sqlstate})")
    return None


def _of_sqlite(error: sqlite3.Error) -> ApplicationError | None:
    extended_code = getattr(error, "sqlite_errorcode", 0)
    code = sqlite3.SQLITE_FULL if extended_code in _SQLITE_CANNOT_GROW else extended_code & 0xFF
    if code in _BY_SQLITE_CODE:
        return _BY_SQLITE_CODE[code](f"SQLite refused ({error.sqlite_errorname})")
    if "no such table" in str(error) or "no such column" in str(error):
        return SchemaMissing("the schema is not the one of this version")
    return None


def constraint_of(error: sqlite3.IntegrityError) -> str:
    """Return the violated constraint's name. SQLite gives it for a CHECK; for a key it names the
    columns, `UNIQUE constraint failed: example_items.id`, which the tables know the key of."""
    subject = str(error).rpartition(": ")[2]
    return _KEYS_BY_COLUMNS.get(subject, subject)


def _keys(table: Table) -> dict[str, str]:
    keys: list[PrimaryKeyConstraint | UniqueConstraint | Index] = [
        table.primary_key,
        *(each for each in table.constraints if isinstance(each, UniqueConstraint)),
        *(index for index in table.indexes if index.unique),
    ]
    return {
        ", ".join(f"{table.name}.{column.name}" for column in key.columns): str(key.name)
        for key in keys
    }


_KEYS_BY_COLUMNS = {
    columns: name for table in metadata.tables.values() for columns, name in _keys(table).items()
}
