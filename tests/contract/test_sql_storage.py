"""A SQL storage from opening to closing."""

import threading
from pathlib import Path

import pytest

from adapters.memory.storage import MemoryStorage
from adapters.sql.migration import migrate, migrate_down
from adapters.sql.storage import SqlStorage
from application.errors import StorageUnavailable
from tests.contract.example_items import all_stored, new_item, store
from tests.database_settings import engine_for


async def test_a_storage_is_ready_when_it_was_opened(sql_storage: SqlStorage) -> None:
    assert await sql_storage.is_ready()


async def test_a_storage_in_memory_is_ready() -> None:
    assert await MemoryStorage().is_ready()


async def test_a_server_without_a_schema_is_not_ready_until_it_is_migrated(
    empty_postgresql_url: str,
) -> None:
    engine = engine_for(empty_postgresql_url)
    storage = SqlStorage(engine)
    await storage.open()

    assert not await storage.is_ready()
    with pytest.raises(StorageUnavailable):
        await all_stored(storage.units_of_work)

    await migrate(engine)
    assert await storage.is_ready()

    await migrate_down(engine, "base")
    assert not await storage.is_ready()
    await storage.close()


async def test_a_server_that_is_down_is_not_ready() -> None:
    storage = SqlStorage(engine_for("postgresql+asyncpg://somebody:secret@127.0.0.1:1/nowhere"))
    await storage.open()

    assert not await storage.is_ready()
    with pytest.raises(StorageUnavailable):
        await store(storage.units_of_work, new_item())
    await storage.close()


async def test_a_sqlite_file_keeps_its_items_and_makes_its_directory(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'new' / 'directory' / 'test.db'}"
    first = SqlStorage(engine_for(url))
    await first.open()
    await store(first.units_of_work, new_item())
    await first.close()

    second = SqlStorage(engine_for(url))
    await second.open()
    assert await all_stored(second.units_of_work) == [new_item()]
    await second.close()


async def test_close_leaves_no_thread_behind(
    sqlite_file_url: str, sqlite_in_memory_url: str
) -> None:
    before = set(threading.enumerate())
    for url in (sqlite_file_url, sqlite_in_memory_url):
        storage = SqlStorage(engine_for(url))
        await storage.open()
        await store(storage.units_of_work, new_item())
        await all_stored(storage.units_of_work)
        await storage.close()

    for thread in set(threading.enumerate()) - before:
        # It has been told to end, and may take a moment.
        thread.join(5)
        assert not thread.is_alive()
