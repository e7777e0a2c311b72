"""The application's error for each SQLite result code: https://www.sqlite.org/rescode.html"""

import sqlite3
from collections.abc import Mapping

from adapters.sql.kernel.errors.storage_errors import SchemaMissing
from application.kernel.errors import (
    ApplicationError,
    InvalidValue,
    StorageFull,
    StorageUnavailable,
    TransactionConflict,
)

# By the primary result code, the low byte. A code that is not here is a defect: a 500 with a
# traceback. `tests/kernel/unit/test_sqlite_codes.py` has the reason for each.
MEANINGS: Mapping[int, type[ApplicationError]] = {
    sqlite3.SQLITE_INTERNAL: StorageUnavailable,
    sqlite3.SQLITE_PERM: StorageUnavailable,
    sqlite3.SQLITE_ABORT: StorageUnavailable,
    sqlite3.SQLITE_BUSY: StorageUnavailable,
    sqlite3.SQLITE_LOCKED: StorageUnavailable,
    sqlite3.SQLITE_NOMEM: StorageUnavailable,
    sqlite3.SQLITE_READONLY: StorageUnavailable,
    sqlite3.SQLITE_INTERRUPT: StorageUnavailable,
    sqlite3.SQLITE_IOERR: StorageUnavailable,
    sqlite3.SQLITE_CORRUPT: StorageUnavailable,
    sqlite3.SQLITE_FULL: StorageFull,
    sqlite3.SQLITE_CANTOPEN: StorageUnavailable,
    sqlite3.SQLITE_PROTOCOL: StorageUnavailable,
    sqlite3.SQLITE_SCHEMA: TransactionConflict,
    sqlite3.SQLITE_TOOBIG: InvalidValue,
    sqlite3.SQLITE_MISMATCH: InvalidValue,
    sqlite3.SQLITE_NOLFS: StorageFull,
    sqlite3.SQLITE_NOTADB: StorageUnavailable,
}
# A quota or a limit on file sizes causes these; so does a broken disk, and SQLite does not
# distinguish them. In either case nothing can be written, but reading works.
_CANNOT_GROW = {sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE}
# Constraints on the values of a single row.
VALUE_CONSTRAINTS = {
    sqlite3.SQLITE_CONSTRAINT_CHECK,
    sqlite3.SQLITE_CONSTRAINT_NOTNULL,
    # SQLITE_CONSTRAINT_DATATYPE: a STRICT table rejected a type. Python 3.11 lacks the name.
    sqlite3.SQLITE_CONSTRAINT | 12 << 8,
}


def meaning_of_sqlite_error(error: sqlite3.Error) -> ApplicationError | None:
    """Return the application's error, or None if there is none."""
    # Errors of the driver itself have no code.
    code: int = getattr(error, "sqlite_errorcode", 0)
    kind = StorageFull if code in _CANNOT_GROW else MEANINGS.get(code & 0xFF)
    if kind:
        return kind(f"SQLite rejected a statement ({error.sqlite_errorname})")
    if "no such table" in str(error) or "no such column" in str(error):
        return SchemaMissing("the schema is not the one of this version")
    return None
