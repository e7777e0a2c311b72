"""Units of work and plain sessions share a connection pool, and neither starves the other."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.sql.kernel.execution import connection_queue
from adapters.sql.kernel.execution.connection_queue import ConnectionQueue
from application.kernel.errors import StorageUnavailable
from tests.kernel.contract.connections_in_use import all_are_released, connections_in_use
from tests.kernel.contract.products import all_stored
from tests.kernel.database_settings import engine_for
from tests.kernel.warehouse.storages import SqlStorage

POOL_SIZE = 2
KEEP_SECONDS = 0.02


@pytest.fixture
async def small_engine(postgresql_url: str) -> AsyncIterator[AsyncEngine]:
    engine = engine_for(postgresql_url, pool_size=POOL_SIZE)
    yield engine
    await engine.dispose()


@asynccontextmanager
async def many_users(use_connection: Callable[[], Awaitable[object]]) -> AsyncIterator[None]:
    """Use connections all the time, from so many tasks that some always wait for one."""
    is_over = False

    async def use_until_over() -> None:
        while not is_over:
            await use_connection()

    tasks = [asyncio.create_task(use_until_over()) for _ in range(10 * POOL_SIZE)]
    try:
        yield
    finally:
        is_over = True
        await asyncio.gather(*tasks)


async def use_session(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        await connection.execute(text("SELECT 1"))


async def test_sessions_get_connections_among_many_units(small_engine: AsyncEngine) -> None:
    storage = SqlStorage(small_engine)
    async with many_users(lambda: all_stored(storage.units_of_work)):
        for _ in range(20):
            await asyncio.wait_for(use_session(small_engine), 1)
    await storage.close()


async def test_units_get_connections_among_many_sessions(small_engine: AsyncEngine) -> None:
    storage = SqlStorage(small_engine)

    async with many_users(lambda: use_session(small_engine)):
        for _ in range(20):
            await asyncio.wait_for(all_stored(storage.units_of_work), 1)
    await storage.close()


async def test_a_released_connection_is_kept_for_the_next_caller_and_then_goes_back(
    small_engine: AsyncEngine,
) -> None:
    queue = ConnectionQueue(small_engine, KEEP_SECONDS)
    first = await queue.acquire()
    queue.release(first)

    assert connections_in_use(small_engine) == 1
    assert await queue.acquire() is first
    queue.release(first)
    assert await all_are_released(small_engine)


async def test_a_connection_that_is_always_in_use_goes_back_as_well(
    small_engine: AsyncEngine,
) -> None:
    queue = ConnectionQueue(small_engine, KEEP_SECONDS)
    first = await queue.acquire()

    async def acquire_and_release_until_it_is_another() -> None:
        while (connection := await queue.acquire()) is first:
            await asyncio.sleep(0)
            queue.release(connection)
        queue.release(connection)

    queue.release(first)
    async with asyncio.timeout(5):
        await acquire_and_release_until_it_is_another()
    queue.close()


@pytest.mark.parametrize("keep_seconds", [0, KEEP_SECONDS])
async def test_a_waiter_cancelled_as_it_gets_a_connection_passes_it_on(
    small_engine: AsyncEngine, keep_seconds: float
) -> None:
    queue = ConnectionQueue(small_engine, keep_seconds)
    connections = [await queue.acquire() for _ in range(POOL_SIZE)]
    cancelled = asyncio.create_task(queue.acquire())
    waiting = asyncio.create_task(queue.acquire())
    await asyncio.sleep(0)

    queue.release(connections[0])
    while not cancelled.done():
        cancelled.cancel()
        await asyncio.sleep(0)

    queue.release(await asyncio.wait_for(waiting, 1))
    queue.release(connections[1])
    assert await all_are_released(small_engine)


async def test_cancelled_waiters_do_not_count_for_the_limit(
    small_engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_queue, "QUEUE_LIMIT", 2)
    queue = ConnectionQueue(small_engine, KEEP_SECONDS)
    connections = [await queue.acquire() for _ in range(POOL_SIZE)]
    for _ in range(2):
        waiting = [asyncio.create_task(queue.acquire()) for _ in range(2)]
        await asyncio.sleep(0)
        assert not any(each.done() for each in waiting)  # none is rejected
        with pytest.raises(StorageUnavailable, match="too many callers wait"):
            await queue.acquire()
        for each in waiting:
            each.cancel()
        await asyncio.wait(waiting)

    for connection in connections:
        queue.release(connection)
    queue.close()


async def test_a_closed_queue_keeps_no_connection(small_engine: AsyncEngine) -> None:
    queue = ConnectionQueue(small_engine, 60)
    queue.release(await queue.acquire())
    queue.close()

    assert connections_in_use(small_engine) == 0
