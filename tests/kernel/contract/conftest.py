from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.kernel.database_settings import engine_for
from tests.kernel.warehouse.application import UnitsOfWork
from tests.kernel.warehouse.storages import MemoryStorage, SqlStorage


@pytest.fixture
async def units_of_work(storage_url: str) -> AsyncIterator[UnitsOfWork]:
    """Units of work on an empty storage, of each kind in turn."""
    storage = MemoryStorage() if storage_url == "memory://" else SqlStorage(engine_for(storage_url))
    await storage.open()
    yield storage.units_of_work
    await storage.close()


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    """An engine of each SQL database in turn, for tests that use more than the port."""
    engine = engine_for(database_url)
    yield engine
    await engine.dispose()


@pytest.fixture
async def sql_storage(engine: AsyncEngine) -> AsyncIterator[SqlStorage]:
    storage = SqlStorage(engine)
    await storage.open()
    yield storage
    await storage.close()
