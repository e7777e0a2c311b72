"""What makes SQLite dependable is set on every connection."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from tests.kernel.contract.products import all_stored, new_product, store
from tests.kernel.database_settings import engine_for
from tests.kernel.warehouse.storages import SqlStorage


@pytest.fixture
def database_url(sqlite_file_url: str) -> str:
    return sqlite_file_url


@pytest.mark.parametrize(
    ("pragma", "value"),
    [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1), ("busy_timeout", 4_000)],
)
async def test_the_writing_connection_has_its_settings(
    engine: AsyncEngine, pragma: str, value: object
) -> None:
    async with engine.connect() as connection:
        assert await connection.scalar(text(f"PRAGMA {pragma}")) == value


@pytest.mark.parametrize("name", ["", "n" * 201])
async def test_the_database_checks_lengths_too(
    engine: AsyncEngine, sql_storage: SqlStorage, name: str
) -> None:
    statement = text(
        "INSERT INTO products (id, name, version, created_at, updated_at)"
        " VALUES ('1', :name, 1, '', '')"
    )
    async with engine.connect() as connection:
        with pytest.raises(IntegrityError, match="ck_products_name_length"):
            await connection.execute(statement, {"name": name})


async def test_the_first_connection_waits_for_the_one_that_sets_the_file_up(
    engine: AsyncEngine, tmp_path: Path
) -> None:
    """Such as another worker: SQLite then fails to switch to WAL at once, without waiting."""
    other = sqlite3.connect(tmp_path / "test.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    async def use() -> object:
        async with engine.connect() as connection:
            return await connection.scalar(text("PRAGMA journal_mode"))

    using = asyncio.create_task(use())
    await asyncio.wait([using], timeout=0.2)
    other.execute("COMMIT")
    other.close()

    assert await using == "wal"


async def test_no_other_process_writes_between_a_sessions_read_and_its_write(
    engine: AsyncEngine, tmp_path: Path
) -> None:
    """The session's write would fail: SQLITE_BUSY_SNAPSHOT, https://www.sqlite.org/rescode.html"""
    async with AsyncSession(engine) as session:
        await session.execute(text("SELECT 1"))

        other = sqlite3.connect(tmp_path / "test.db", timeout=0, isolation_level=None)
        with closing(other), pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")


async def test_readers_do_not_wait_for_a_writer(sql_storage: SqlStorage) -> None:
    async with sql_storage.units_of_work.for_writing() as unit:
        unit.products.add(new_product())
        await unit.products.get(new_product().id)

        assert await asyncio.wait_for(all_stored(sql_storage.units_of_work), 1) == []


async def test_two_engines_write_to_one_file_in_turn(database_url: str) -> None:
    storages = [SqlStorage(engine_for(database_url)) for _ in range(2)]
    for storage in storages:
        await storage.open()
    items = [new_product(number) for number in range(40)]

    await asyncio.gather(
        *(store(storages[n % 2].units_of_work, item) for n, item in enumerate(items))
    )

    assert await all_stored(storages[0].units_of_work) == items
    for storage in storages:
        await storage.close()
