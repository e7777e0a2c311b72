"""What keeps a connection from being lost, or used by two, when a request is given up."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.util import await_only

from adapters.sql.kernel.errors.storage_errors import NoResponse
from adapters.sql.kernel.execution.connection_queue import ConnectionQueue
from adapters.sql.kernel.postgresql.database import PostgresqlDatabase
from application.kernel.errors import StorageUnavailable
from tests.kernel.contract.connections_in_use import connections_in_use
from tests.kernel.contract.moments import cancel
from tests.kernel.contract.products import all_stored, new_product, next_version, store
from tests.kernel.database_settings import engine_for
from tests.kernel.postgresql_databases import others_wait_for
from tests.kernel.warehouse.storages import SqlStorage

LONG = 60.0


@pytest.fixture
async def engine(postgresql_url: str) -> AsyncIterator[AsyncEngine]:
    """An engine with a single connection."""
    engine = engine_for(postgresql_url, pool_size=1)
    yield engine
    await engine.dispose()


async def test_a_connection_handed_to_a_cancelled_waiter_goes_to_the_next(
    engine: AsyncEngine,
) -> None:
    queue = ConnectionQueue(engine, keep_seconds=LONG)
    only = await queue.acquire()
    cancelled = asyncio.create_task(queue.acquire())
    waiting = asyncio.create_task(queue.acquire())
    await asyncio.sleep(0)

    queue.release(only)  # the first one has it from now on, and does not know yet
    await cancel(cancelled)

    assert await asyncio.wait_for(waiting, 5) is only
    queue.release(only)
    queue.close()


async def test_a_waiter_connects_itself_after_a_failed_connect(
    engine: AsyncEngine,
) -> None:
    is_first = True
    go_on = asyncio.Event()

    pool: Any = engine.pool
    connect = pool._invoke_creator

    def fail_the_first(*arguments: Any) -> Any:
        nonlocal is_first
        if is_first:
            is_first = False
            await_only(go_on.wait())
            raise OSError("no route to host")
        return connect(*arguments)

    pool._invoke_creator = fail_the_first
    queue = ConnectionQueue(engine, keep_seconds=LONG)
    pool._timeout = LONG
    first = asyncio.create_task(queue.acquire())
    second = asyncio.create_task(queue.acquire())
    while not queue._waiters:
        await asyncio.sleep(0)
    go_on.set()

    with pytest.raises(StorageUnavailable):
        await first
    queue.release(await asyncio.wait_for(second, 20))
    queue.close()


async def test_a_read_without_a_response_of_the_server_is_not_repeated(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts = 0

    async def no_response(*_: Any) -> Any:
        nonlocal attempts
        attempts += 1
        raise NoResponse("the database does not respond")

    monkeypatch.setattr(PostgresqlDatabase, "run", no_response)
    storage = SqlStorage(engine)

    with pytest.raises(NoResponse):
        await all_stored(storage.units_of_work)

    assert attempts == 1
    await storage.close()


async def test_a_statement_is_stopped_before_its_connection_is_thrown_away(
    engine: AsyncEngine, postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    executed: list[tuple[str, int]] = []
    execute = asyncpg.Connection.execute

    async def watched(connection: Any, sql: str, *arguments: Any, **options: Any) -> str:
        executed.append((sql, connections_in_use(engine)))
        return await execute(connection, sql, *arguments, **options)

    storage = SqlStorage(engine)
    await store(storage.units_of_work, new_product())
    dsn = make_url(postgresql_url).set(drivername="postgresql")
    holder = await asyncpg.connect(dsn.render_as_string(hide_password=False))
    async with holder.transaction():
        await holder.execute("SELECT FROM products FOR UPDATE")

        async def update() -> None:
            async with storage.units_of_work.for_writing() as unit:
                unit.products.update(next_version(new_product()))
                await unit.commit()

        waiting = asyncio.create_task(update())
        while not await others_wait_for(holder):
            await asyncio.sleep(0.01)
        monkeypatch.setattr(asyncpg.Connection, "execute", watched)
        await cancel(waiting)
        await storage._database.close()
        monkeypatch.undo()

        assert not await others_wait_for(holder)
    await holder.close()

    # Until the server had heard of it, the connection counted as one of the pool's.
    assert executed == [("ROLLBACK", 1)]
    assert await all_stored(storage.units_of_work) == [new_product()]
    await storage.close()
