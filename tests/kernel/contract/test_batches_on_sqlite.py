"""What waits for SQLite goes to its thread together."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import pytest
from sqlalchemy.pool import QueuePool

from adapters.sql.kernel.execution.connection_queue import ConnectionQueue
from adapters.sql.kernel.execution.statement_events import StatementEvents
from adapters.sql.kernel.sqlite.batches import SqliteBatches, Work
from application.kernel.errors import StorageUnavailable
from tests.kernel.database_settings import engine_for


class CountedBatches(SqliteBatches[Work]):
    """Batches that do nothing and keep their sizes."""

    def __init__(self, queue: ConnectionQueue, events: StatementEvents) -> None:
        super().__init__(queue, self._count, events)
        self.sizes: list[int] = []

    def _count(self, _connection: sqlite3.Connection, batch: list[Work]) -> None:
        self.sizes.append(len(batch))


@pytest.fixture
async def batches(sqlite_file_url: str) -> AsyncIterator[CountedBatches]:
    engine = engine_for(sqlite_file_url)
    batches = CountedBatches(ConnectionQueue(engine), StatementEvents(engine))
    await batches.execute(Work(()))  # from now on there is a connection
    batches.sizes.clear()
    yield batches
    await batches.close()
    await engine.dispose()


async def test_work_that_waits_at_the_same_time_is_one_batch(batches: CountedBatches) -> None:
    await asyncio.gather(*(batches.execute(Work(())) for _ in range(16)))
    assert batches.sizes == [16]


async def test_a_request_that_is_being_read_joins_the_next_batch(batches: CountedBatches) -> None:
    later = []

    def be_read() -> None:
        later.append(asyncio.create_task(batches.execute(Work(()))))

    first = asyncio.create_task(batches.execute(Work(())))
    loop = asyncio.get_running_loop()
    loop.call_soon(loop.call_soon, be_read)
    await first
    await later[0]
    assert batches.sizes == [2]


async def test_work_that_arrives_during_a_batch_is_in_the_next(batches: CountedBatches) -> None:
    first = asyncio.create_task(batches.execute(Work(())))
    while not batches.sizes:
        await asyncio.sleep(0)
    await asyncio.gather(first, *(batches.execute(Work(())) for _ in range(3)))
    assert batches.sizes == [1, 3]


async def test_each_waits_for_a_connection_as_long_as_if_it_were_alone(
    sqlite_file_url: str,
) -> None:
    """Guards those that came late: the time of the first one says nothing of theirs."""
    engine = engine_for(sqlite_file_url)  # its only connection is taken
    queue = ConnectionQueue(engine)
    queue_of_batches = ConnectionQueue(engine)
    batches = CountedBatches(queue_of_batches, StatementEvents(engine))
    taken = await queue.acquire()
    cast(QueuePool, engine.pool)._timeout = 0.3

    first = asyncio.create_task(batches.execute(Work(())))
    await asyncio.sleep(0.2)
    second = asyncio.create_task(batches.execute(Work(())))
    with pytest.raises(StorageUnavailable, match="free in time"):
        await first
    assert not second.done()
    queue.release(taken)

    await second
    assert batches.sizes == [1]
    await batches.close()
    await engine.dispose()


async def test_all_fail_at_once_when_there_is_no_database(tmp_path: Path) -> None:
    engine = engine_for(f"sqlite+aiosqlite:///{tmp_path / 'test.db'}")
    (tmp_path / "test.db").mkdir()
    batches = CountedBatches(ConnectionQueue(engine), StatementEvents(engine))

    outcomes = await asyncio.gather(
        *(batches.execute(Work(())) for _ in range(3)), return_exceptions=True
    )

    assert [type(outcome) for outcome in outcomes] == [StorageUnavailable] * 3
    await engine.dispose()
