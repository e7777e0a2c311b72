"""Units of work and sessions share a pool, and each has its turn."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.sql.kernel.execution import connection_queue as connection_lender
from adapters.sql.kernel.execution.connection_queue import ConnectionLender
from adapters.sql.kernel.storage import SqlStorage
from application.kernel.errors import StorageUnavailable
from tests.contract.example_items import all_stored
from tests.contract.lent_connections import all_are_back, lent
from tests.database_settings import engine_for

POOL_SIZE = 2
KEEP_SECONDS = 0.02


@pytest.fixture
async def small_engine(postgresql_url: str) -> AsyncIterator[AsyncEngine]:
    engine = engine_for(postgresql_url, pool_size=POOL_SIZE)
    yield engine
    await engine.dispose()


@asynccontextmanager
async def many_who_go_on(use_connection: Callable[[], Awaitable[object]]) -> AsyncIterator[None]:
    """Have so many use connections all the time that somebody always waits for one."""
    is_over = False

    async def go_on() -> None:
        while not is_over:
            await use_connection()

    tasks = [asyncio.create_task(go_on()) for _ in range(10 * POOL_SIZE)]
    try:
        yield
    finally:
        is_over = True
        await asyncio.gather(*tasks)


async def use_session(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        await connection.execute(text("SELECT 1"))


async def test_sessions_have_their_turn_among_many_units(small_engine: AsyncEngine) -> None:
    storage = SqlStorage(small_engine)
    async with many_who_go_on(lambda: all_stored(storage.units_of_work)):
        for _ in range(20):
            await asyncio.wait_for(use_session(small_engine), 1)
    await storage.close()


async def test_units_have_their_turn_among_many_sessions(small_engine: AsyncEngine) -> None:
    storage = SqlStorage(small_engine)

    async with many_who_go_on(lambda: use_session(small_engine)):
        for _ in range(20):
            await asyncio.wait_for(all_stored(storage.units_of_work), 1)
    await storage.close()


async def test_a_connection_is_kept_for_the_next_one_and_goes_back(
    small_engine: AsyncEngine,
) -> None:
    lender = ConnectionLender(small_engine, KEEP_SECONDS)
    first = await lender.lend()
    lender.give_back(first)

    assert lent(small_engine) == 1
    assert await lender.lend() is first
    lender.give_back(first)
    assert await all_are_back(small_engine)


async def test_it_goes_back_also_if_it_is_always_in_use(small_engine: AsyncEngine) -> None:
    lender = ConnectionLender(small_engine, KEEP_SECONDS)
    first = await lender.lend()

    async def use_on_and_on() -> None:
        while (lease := await lender.lend()) is first:
            await asyncio.sleep(0)
            lender.give_back(lease)
        lender.give_back(lease)

    lender.give_back(first)
    async with asyncio.timeout(5):
        await use_on_and_on()
    lender.close()


@pytest.mark.parametrize("keep_seconds", [0, KEEP_SECONDS])
async def test_who_gives_up_at_the_moment_of_its_turn_passes_it_on(
    small_engine: AsyncEngine, keep_seconds: float
) -> None:
    lender = ConnectionLender(small_engine, keep_seconds)
    leases = [await lender.lend() for _ in range(POOL_SIZE)]
    cancelled = asyncio.create_task(lender.lend())
    patient = asyncio.create_task(lender.lend())
    await asyncio.sleep(0)

    lender.give_back(leases[0])
    while not cancelled.done():
        cancelled.cancel()
        await asyncio.sleep(0)

    lender.give_back(await asyncio.wait_for(patient, 1))
    lender.give_back(leases[1])
    assert await all_are_back(small_engine)


async def test_who_gave_up_takes_no_place_in_the_queue(
    small_engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_lender, "QUEUE_LIMIT", 2)
    lender = ConnectionLender(small_engine, KEEP_SECONDS)
    leases = [await lender.lend() for _ in range(POOL_SIZE)]
    for _ in range(2):
        waiting = [asyncio.create_task(lender.lend()) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(StorageUnavailable, match="too many wait"):
            await lender.lend()
        for each in waiting:
            each.cancel()
        await asyncio.wait(waiting)

    for lease in leases:
        lender.give_back(lease)
    lender.close()


async def test_closed_it_keeps_nothing(small_engine: AsyncEngine) -> None:
    lender = ConnectionLender(small_engine, 60)
    lender.give_back(await lender.lend())
    lender.close()

    assert lent(small_engine) == 0
