"""Every result code of SQLite has a translation, or a reason to have none."""

import sqlite3
from contextlib import closing

import pytest

from adapters.sql.kernel.errors.driver_errors import translated
from adapters.sql.kernel.errors.sqlite_codes import MEANINGS
from application.kernel.errors import (
    ApplicationError,
    DataConflict,
    InvalidValue,
    StorageFull,
    StorageUnavailable,
)

# https://www.sqlite.org/rescode.html: the primary result codes.
CODES = [*range(0, 29), 100, 101]
WITHOUT_TRANSLATION = {
    0: "OK: no error",
    1: "ERROR: a mistake in a statement, but for a missing table or column",
    12: "NOTFOUND: not returned to a program",
    16: "EMPTY: not used",
    19: "CONSTRAINT: known by its name, see ConstraintViolated",
    21: "MISUSE: a mistake in the program",
    23: "AUTH: only an authorizer of the program's own returns it",
    24: "FORMAT: not used",
    25: "RANGE: a mistake in the program",
    27: "NOTICE: only in SQLite's own log",
    28: "WARNING: only in SQLite's own log",
    100: "ROW: no error",
    101: "DONE: no error",
}


def error_of(code: int, kind: type[sqlite3.Error] = sqlite3.OperationalError) -> sqlite3.Error:
    error = kind("words of the driver")
    error.sqlite_errorcode, error.sqlite_errorname = code, f"SQLITE_{code}"
    return error


@pytest.mark.parametrize("code", CODES)
def test_each_has_a_translation_or_a_reason_for_none(code: int) -> None:
    meaning = translated(error_of(code))

    assert (meaning is None) is (code in WITHOUT_TRANSLATION)
    assert (meaning is None) is (code not in MEANINGS)
    assert "words of the driver" not in str(meaning)


@pytest.mark.parametrize(
    ("code", "meaning"),
    [
        (sqlite3.SQLITE_BUSY_SNAPSHOT, StorageUnavailable),
        (sqlite3.SQLITE_READONLY_DBMOVED, StorageUnavailable),
        (sqlite3.SQLITE_IOERR_READ, StorageUnavailable),
        (sqlite3.SQLITE_IOERR_WRITE, StorageFull),
        (sqlite3.SQLITE_CORRUPT_INDEX, StorageUnavailable),
        (sqlite3.SQLITE_CANTOPEN_ISDIR, StorageUnavailable),
    ],
)
def test_an_extended_code_means_what_its_primary_one_does(
    code: int, meaning: type[ApplicationError]
) -> None:
    assert type(translated(error_of(code))) is meaning


@pytest.mark.parametrize(
    ("code", "meaning"),
    [
        (sqlite3.SQLITE_CONSTRAINT_UNIQUE, DataConflict),
        (sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, DataConflict),
        (sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY, DataConflict),
        (sqlite3.SQLITE_CONSTRAINT_CHECK, InvalidValue),
        (sqlite3.SQLITE_CONSTRAINT_NOTNULL, InvalidValue),
        (sqlite3.SQLITE_MISMATCH, InvalidValue),
    ],
)
def test_a_row_that_is_rejected_is_a_conflict_or_has_a_wrong_value(
    code: int, meaning: type[ApplicationError]
) -> None:
    assert isinstance(translated(error_of(code, sqlite3.IntegrityError)), meaning)


@pytest.mark.parametrize("value", [2**63, "\ud800"])
def test_a_value_that_cannot_be_bound_is_invalid(value: object) -> None:
    with (
        closing(sqlite3.connect(":memory:")) as connection,
        pytest.raises((OverflowError, UnicodeEncodeError)) as raised,
    ):
        connection.execute("SELECT ?", (value,))

    assert isinstance(translated(raised.value), InvalidValue)
