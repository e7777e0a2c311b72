"""The application's error for each SQLSTATE of PostgreSQL.

https://www.postgresql.org/docs/current/errcodes-appendix.html
"""

from collections.abc import Mapping

from adapters.sql.kernel.errors.storage_errors import ConnectionLost, ConnectionUnfit, SchemaMissing
from application.kernel.errors import (
    ApplicationError,
    InvalidValue,
    StorageFull,
    StorageUnavailable,
    TransactionConflict,
)

# By the first characters of the SQLSTATE, the longest match first; with a text for the log. An
# SQLSTATE that is not here is a defect in a statement or in the schema: a 500 with a traceback.
# `tests/kernel/unit/test_sqlstates.py` has the reason for each.
MEANINGS: Mapping[str, tuple[type[ApplicationError], str]] = {
    "08": (ConnectionLost, "the connection to the database broke"),
    "0A": (StorageUnavailable, "the database does not support what was asked"),
    "22": (InvalidValue, "the database rejected a value"),
    "24": (ConnectionUnfit, "a cursor of the session is gone, as behind a pooler"),
    "25": (ConnectionUnfit, "the transaction is in another state than it was left in"),
    "25006": (ConnectionUnfit, "the database may only be read, as a standby"),
    "25P03": (ConnectionLost, "the database ended a transaction that was idle"),
    "25P04": (ConnectionLost, "the database ended a transaction that took too long"),
    "26": (ConnectionUnfit, "a prepared statement of the session is gone, as behind a pooler"),
    "28": (StorageUnavailable, "the database rejects the user or the password"),
    "2D": (ConnectionUnfit, "the transaction is in another state than it was left in"),
    "34": (ConnectionUnfit, "a cursor of the session is gone, as behind a pooler"),
    "3B": (ConnectionUnfit, "a savepoint of the session is gone, as behind a pooler"),
    "3D": (StorageUnavailable, "there is no such database"),
    "3F": (SchemaMissing, "a schema is missing"),
    "40": (TransactionConflict, "the database rolled a transaction back"),
    "40001": (
        TransactionConflict,
        "the database rolled back a transaction that conflicts with another",
    ),
    "40003": (ConnectionLost, "the database does not know the outcome of a statement"),
    "40P01": (TransactionConflict, "the database ended a deadlock"),
    "42501": (StorageUnavailable, "the user of the database lacks a right"),
    "42703": (SchemaMissing, "a column is missing"),
    "42P01": (SchemaMissing, "a table is missing"),
    "42P05": (ConnectionUnfit, "a prepared statement exists already, as behind a pooler"),
    "44": (InvalidValue, "the database rejected a row that its view leaves out"),
    "53": (StorageUnavailable, "the database has run out of a resource"),
    "53100": (StorageFull, "the database's disk is full"),
    "53300": (StorageUnavailable, "the database has no connection left"),
    "54000": (InvalidValue, "a value is too large for the database"),
    "54001": (InvalidValue, "a value is nested too deeply for the database"),
    "55": (StorageUnavailable, "an object of the database is in use, or not ready"),
    "55P03": (StorageUnavailable, "another transaction held a lock for too long"),
    "57": (StorageUnavailable, "the database's operator intervened"),
    "57014": (StorageUnavailable, "the database stopped a statement, most often a late one"),
    "57P0": (ConnectionLost, "the database shuts down, starts, or ended the connection"),
    "58": (StorageUnavailable, "the database's system failed: a file, a disk or a library"),
    "72": (TransactionConflict, "the database has removed the snapshot of a transaction"),
    "F0": (StorageUnavailable, "the database's configuration cannot be read"),
    "HV": (StorageUnavailable, "a foreign server of the database failed"),
    "XX": (StorageUnavailable, "the database failed within, or its files are corrupt"),
}


def meaning_of_sqlstate(sqlstate: str) -> ApplicationError | None:
    """Return the application's error for the SQLSTATE, or None if there is none."""
    for length in range(len(sqlstate), 1, -1):
        if (start := sqlstate[:length]) in MEANINGS:
            error, words = MEANINGS[start]
            return error(f"{words} (SQLSTATE {sqlstate})")
    return None
