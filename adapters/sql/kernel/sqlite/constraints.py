"""The names of violated constraints on SQLite, which reports only the columns of a unique key, and
nothing about a foreign key."""

import re
import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

from sqlalchemy import (
    ForeignKeyConstraint,
    Index,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    UniqueConstraint,
)

from adapters.sql.kernel.errors.driver_errors import meaning_of
from adapters.sql.kernel.errors.storage_errors import ConstraintViolated

FOREIGN_KEY = "FOREIGN KEY constraint failed"
_Statement = tuple[str, Sequence[Any]]


class SqliteConstraints:
    """The constraints of the tables of some metadata.

    To find a violated foreign key, the statement is executed once more and rolled back. Foreign
    keys are deferred to the end of the transaction for that, also those with RESTRICT
    (https://www.sqlite.org/pragma.html#pragma_defer_foreign_keys), and triggers record each key
    that is inserted or removed. So it takes as long as the statement and a few lookups, whatever
    the size of the tables.
    """

    def __init__(self, metadata: MetaData) -> None:
        tables = metadata.sorted_tables
        self._keys = {columns: name for table in tables for columns, name in _keys(table)}
        self._foreign_keys = [
            key for table in tables for key in sorted(table.foreign_key_constraints, key=_position)
        ]

    def meaning_of(
        self, error: Exception, connection: sqlite3.Connection, statements: Sequence[_Statement]
    ) -> BaseException:
        """Return the error to raise instead of the one that the last of the statements raised. The
        connection is in the transaction in which that happened."""

        def execute_again() -> None:
            for sql, values in statements:
                connection.execute(sql, values).fetchall()

        meaning = meaning_of(error)
        if not isinstance(meaning, ConstraintViolated):
            return meaning
        if is_foreign_key(meaning):
            self.watch(connection)
            with suppress(sqlite3.Error):
                execute_again()
            return self.named(meaning, self.violated(connection))
        return self.named(meaning)

    def named(
        self, meaning: ConstraintViolated, foreign_key: str | None = None
    ) -> ConstraintViolated:
        """Return the error with the constraint's name instead of what SQLite reports."""
        reported = meaning.constraint
        index = re.fullmatch("index '(.*)'", reported)
        name = foreign_key or (index and index[1]) or self._keys.get(reported, reported)
        named = type(meaning)(name)
        named.__cause__ = meaning.__cause__
        return named

    def watch(self, connection: sqlite3.Connection) -> None:
        """Record the keys that change from now on, in the connection's transaction."""
        connection.execute("SAVEPOINT diagnosis")
        connection.execute("PRAGMA defer_foreign_keys = ON")
        for number, key in enumerate(self._foreign_keys):
            with suppress(sqlite3.Error):  # a table that this database does not have
                for sql in _triggers(f"suspect_{number}", key):
                    connection.execute(sql)

    def violated(self, connection: sqlite3.Connection) -> str | None:
        """Return the name of the foreign key that has been violated since `watch`, and roll back to
        `watch`."""
        try:
            for number, key in enumerate(self._foreign_keys):
                with suppress(sqlite3.Error):
                    if connection.execute(_search(f"suspect_{number}", key)).fetchone():
                        return str(key.name)
            return None
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK TO diagnosis")
                connection.execute("RELEASE diagnosis")
                connection.execute("PRAGMA defer_foreign_keys = OFF")


def is_foreign_key(meaning: BaseException) -> bool:
    """Return whether the error is a violated foreign key whose name is not known yet."""
    return isinstance(meaning, ConstraintViolated) and meaning.constraint == FOREIGN_KEY


def _keys(table: Table) -> Iterator[tuple[str, str]]:
    """Yield the columns of each unique key, in SQLite's format, with the key's name. Partial
    indexes with the same columns are left out, because SQLite's report is the same for all of
    them."""
    indexes = [index for index in table.indexes if index.unique]
    partial = [each for each in indexes if each.dialect_options["sqlite"]["where"] is not None]
    alike = Counter(map(_columns, partial))
    keys: list[PrimaryKeyConstraint | UniqueConstraint | Index] = [
        *(index for index in partial if alike[_columns(index)] == 1),
        *(index for index in indexes if index not in partial),
        *(each for each in table.constraints if isinstance(each, UniqueConstraint)),
        table.primary_key,
    ]
    for key in keys:
        yield _columns(key), str(key.name)


def _columns(key: PrimaryKeyConstraint | UniqueConstraint | Index) -> str:
    return ", ".join(f"{column.table.name}.{column.name}" for column in key.columns)


def _position(key: ForeignKeyConstraint) -> list[int]:
    return [list(key.table.columns).index(column) for column in key.columns]


def _names(key: ForeignKeyConstraint) -> tuple[list[str], list[str]]:
    return (
        [_quoted(column.name) for column in key.columns],
        [_quoted(element.column.name) for element in key.elements],
    )


def _triggers(suspects: str, key: ForeignKeyConstraint) -> Iterator[str]:
    """Yield the SQL of a temporary table for the keys that may have lost their row, and of the
    triggers that fill it."""
    child, parent = _quoted(key.table.name), _quoted(key.referred_table.name)
    own, referred = _names(key)
    yield (
        f"CREATE TEMP TABLE {suspects} AS SELECT {', '.join(own)} FROM main.{child} WHERE FALSE"  # noqa: S608
    )
    for number, (event, table, row, columns) in enumerate(
        [
            ("INSERT", child, "NEW", own),
            (f"UPDATE OF {', '.join(own)}", child, "NEW", own),
            ("DELETE", parent, "OLD", referred),
            (f"UPDATE OF {', '.join(referred)}", parent, "OLD", referred),
        ]
    ):
        values = ", ".join(f"{row}.{column}" for column in columns)
        yield (
            f"CREATE TEMP TRIGGER {suspects}_{number} AFTER {event} ON main.{table} "  # noqa: S608
            f"BEGIN INSERT INTO {suspects} VALUES ({values}); END"
        )


def _search(suspects: str, key: ForeignKeyConstraint) -> str:
    own, referred = _names(key)
    child, parent = _quoted(key.table.name), _quoted(key.referred_table.name)
    is_parent = " AND ".join(
        f"parent.{one} = suspect.{other}" for one, other in zip(referred, own, strict=True)
    )
    is_child = " AND ".join(f"child.{column} = suspect.{column}" for column in own)
    has_key = " AND ".join(f"suspect.{column} IS NOT NULL" for column in own)
    return (
        f"SELECT 1 FROM temp.{suspects} AS suspect WHERE {has_key}"  # noqa: S608
        f" AND NOT EXISTS (SELECT 1 FROM main.{parent} AS parent WHERE {is_parent})"
        f" AND EXISTS (SELECT 1 FROM main.{child} AS child WHERE {is_child}) LIMIT 1"
    )


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
