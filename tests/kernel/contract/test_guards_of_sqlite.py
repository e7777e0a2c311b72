"""What keeps a batch of SQLite from lying, and its readers from writing."""

import sqlite3
from collections.abc import Iterator

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, insert
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.sql.kernel.execution.database import Write
from adapters.sql.kernel.sqlite.constraints import SqliteConstraints
from adapters.sql.kernel.sqlite.deadline import DeadlineConnection
from adapters.sql.kernel.sqlite.group_commit import WriteWork, commit_together
from application.kernel.errors import StorageUnavailable
from tests.kernel.contract.products import all_stored, new_product
from tests.kernel.warehouse.sql import PRODUCT_ROWS
from tests.kernel.warehouse.storages import SqlStorage

metadata = MetaData()
numbers = Table("numbers", metadata, Column("number", Integer, primary_key=True))
CONSTRAINTS = SqliteConstraints(metadata)


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:", isolation_level=None, factory=DeadlineConnection)
    connection.execute("CREATE TABLE numbers (number INTEGER PRIMARY KEY)")
    yield connection
    connection.close()


def adding(number: int, conflict: str = "ABORT") -> WriteWork:
    sql = f"INSERT OR {conflict} INTO numbers VALUES (?)"
    return WriteWork([Write(insert(numbers), {"number": number})], [(sql, (number,))])


def test_no_unit_succeeds_in_a_batch_that_sqlite_has_undone(connection: sqlite3.Connection) -> None:
    """ROLLBACK, as a conflict's resolution, does what a full disk does: it undoes all."""
    units = [adding(1), adding(1, "ROLLBACK"), adding(2)]

    commit_together(CONSTRAINTS, connection, units)

    assert [type(unit.error) for unit in units].count(type(None)) == 0
    assert connection.execute("SELECT number FROM numbers").fetchall() == []


def test_a_rejection_undoes_its_own_unit_alone(connection: sqlite3.Connection) -> None:
    units = [adding(1), adding(1), adding(2)]

    commit_together(CONSTRAINTS, connection, units)

    assert [unit.error is None for unit in units] == [True, False, True]
    assert connection.execute("SELECT number FROM numbers").fetchall() == [(1,), (2,)]


def test_foreign_keys_are_checked_at_once_after_a_search(connection: sqlite3.Connection) -> None:
    """The next unit of the batch would violate a RESTRICT unnoticed."""
    connection.execute("BEGIN IMMEDIATE")
    CONSTRAINTS.watch(connection)
    CONSTRAINTS.violated(connection)

    assert connection.execute("PRAGMA defer_foreign_keys").fetchone() == (0,)


def test_a_search_leaves_no_row(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")
    CONSTRAINTS.watch(connection)
    connection.execute("INSERT INTO numbers VALUES (1)")
    CONSTRAINTS.violated(connection)

    assert connection.execute("SELECT number FROM numbers").fetchall() == []


@pytest.fixture
def database_url(sqlite_file_url: str) -> str:
    return sqlite_file_url


async def test_a_reader_cannot_write(engine: AsyncEngine, sql_storage: SqlStorage) -> None:
    with pytest.raises(StorageUnavailable, match="READONLY"):
        await sql_storage._database.fetch(PRODUCT_ROWS.insert, PRODUCT_ROWS.dump(new_product()))

    assert await all_stored(sql_storage.units_of_work) == []
