"""Why a migration failed, in one line for the operator."""

import sqlite3
import traceback
from collections.abc import Iterator
from pathlib import Path

import asyncpg
from sqlalchemy.exc import DBAPIError

from adapters.sql.kernel.errors.driver_errors import translated
from application.kernel.errors import ApplicationError, StorageUnavailable

_VERSIONS = Path(__file__).parents[2] / "migrations" / "versions"
# SQLSTATE class 22, data exception: the message quotes the value of a row.
_QUOTES_A_VALUE = "22"


class MigrationFailed(ApplicationError):
    """A migration failed, and was rolled back."""


class LockTaken(StorageUnavailable):
    """Another transaction held a lock that the migration needs."""


def lock_taken(error: BaseException) -> LockTaken | None:
    """Return the error to raise if another transaction holds a lock, None for any other error."""
    for cause in _causes(error):
        match cause:
            case LockTaken():
                return cause
            case asyncpg.LockNotAvailableError():
                return LockTaken("another transaction holds a lock that the migration needs")
            case sqlite3.OperationalError() if _code(cause) in _BUSY:
                return LockTaken("another process writes to the database file")
            case _:
                pass
    return None


def failure_of(error: Exception) -> Exception:
    """Return the error to raise instead: one line that says what failed, and where."""
    place = _place_in_a_migration(error)
    if not place and (meaning := translated(error)):
        return meaning
    where = f"the migration {place}" if place else "the migration"
    return MigrationFailed(f"{where} failed, and nothing was changed: {_reason(error)}")


def _reason(error: BaseException) -> str:
    """Return the first line of the cause, without values of rows."""
    for cause in _causes(error):
        match cause:
            case asyncpg.PostgresError():
                state = str(cause.sqlstate)
                text = "" if state.startswith(_QUOTES_A_VALUE) else f": {_first_line(cause)}"
                return f"{type(cause).__name__} (SQLSTATE {state}){text}"
            case sqlite3.Error():
                return f"{type(cause).__name__}: {_first_line(cause)}"
            case DBAPIError():
                pass
            case _:
                return f"{type(cause).__name__}: {_first_line(cause)}"
    return type(error).__name__


def _first_line(error: BaseException) -> str:
    return next(iter(str(error).splitlines()), "")


def _place_in_a_migration(error: BaseException) -> str | None:
    """Return the file and the line in a migration where the error occurred."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if Path(frame.filename).parent.name == _VERSIONS.name and frame.name != "<module>":
            return f"{Path(frame.filename).name}, line {frame.lineno},"
    return None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error:
        yield error
        error = error.__cause__ or error.__context__


def _code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
