"""A SQL storage from opening to closing."""

import asyncio
import threading
from pathlib import Path

import pytest
from pydantic import SecretStr

from adapters.sql.kernel.engine import init_database
from adapters.sql.kernel.migration.migrate import migrate_down
from application.kernel.errors import StorageUnavailable
from tests.kernel.contract.products import all_stored, new_product, store
from tests.kernel.database_settings import DatabaseSettings, engine_for
from tests.kernel.postgresql_databases import end_all_connections
from tests.kernel.warehouse.storages import MemoryStorage, SqlStorage, migrate_and_create_tables


async def test_a_storage_can_be_used_when_it_was_opened(sql_storage: SqlStorage) -> None:
    await sql_storage.check()


async def test_a_storage_in_memory_can_always_be_used() -> None:
    await MemoryStorage().check()


async def test_a_server_without_a_schema_cannot_be_used_until_it_is_migrated(
    empty_postgresql_url: str,
) -> None:
    engine = engine_for(empty_postgresql_url)
    storage = SqlStorage(engine)
    await storage.open()

    with pytest.raises(
        StorageUnavailable, match=r"there is no schema, .* run `python -m entrypoints db upgrade`"
    ):
        await storage.check()
    with pytest.raises(StorageUnavailable):
        await all_stored(storage.units_of_work)

    await migrate_and_create_tables(engine)
    await storage.check()

    await migrate_down(engine, "base")
    with pytest.raises(StorageUnavailable, match="there is no schema"):
        await storage.check()
    await storage.close()


async def test_a_server_that_is_down_cannot_be_used() -> None:
    storage = SqlStorage(engine_for("postgresql+asyncpg://somebody:secret@127.0.0.1:1/nowhere"))
    await storage.open()

    with pytest.raises(StorageUnavailable, match="the database cannot be reached"):
        await storage.check()
    with pytest.raises(StorageUnavailable):
        await store(storage.units_of_work, new_product())
    await storage.close()


async def test_a_pool_in_full_use_does_not_hide_the_server(postgresql_url: str) -> None:
    engine = engine_for(postgresql_url, pool_size=1)
    storage = SqlStorage(engine)
    async with engine.connect():
        await asyncio.wait_for(storage.check(), 1)
    await storage.close()


async def test_a_check_does_not_take_its_own_dead_connection_for_a_dead_server(
    postgresql_url: str,
) -> None:
    storage = SqlStorage(engine_for(postgresql_url))
    await storage.check()
    await asyncio.to_thread(end_all_connections, postgresql_url)
    await storage.check()
    await storage.close()


async def test_a_sqlite_file_keeps_its_items_and_makes_its_directory(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'new' / 'directory' / 'test.db'}"
    first = SqlStorage(await init_database(DatabaseSettings(SecretStr(url))))
    await first.open()
    await store(first.units_of_work, new_product())
    await first.close()

    second = SqlStorage(engine_for(url))
    await second.open()
    assert await all_stored(second.units_of_work) == [new_product()]
    await second.close()


async def test_close_leaves_no_thread_behind(
    sqlite_file_url: str, sqlite_in_memory_url: str
) -> None:
    before = set(threading.enumerate())
    for url in (sqlite_file_url, sqlite_in_memory_url):
        storage = SqlStorage(engine_for(url))
        await storage.open()
        await store(storage.units_of_work, new_product())
        await all_stored(storage.units_of_work)
        await storage.close()

    for thread in set(threading.enumerate()) - before:
        # Its end was requested, and may take a moment.
        thread.join(5)
        assert not thread.is_alive()
