"""PostgreSQL is killed or stopped under load, or without load, and comes back.

Without the translation of the drivers' errors (`adapters/sql/kernel/errors/driver_errors.py`), the
responses during the outage are 500s. Without the loop in `PostgresqlDatabase._acquire`, the first
writes get connections that died in the pool. Without the counts of `OutageLog`, the log fills up.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager

import asyncpg
import pytest

from tests.kernel.faults.keep_alive_client import KeepAliveClient
from tests.kernel.faults.load import CLIENTS, Load
from tests.kernel.faults.postgresql_service import (
    migrated_server,
    needs_postgresql,
    service_on,
)
from tests.kernel.faults.running import all_items
from tests.kernel.faults.service_log import assert_no_traceback, events_of
from tests.kernel.processes.postgresql_server import PostgresServer

pytestmark = needs_postgresql

OUTAGE_SECONDS = 1.5
# A second, and some for a busy machine.
BACK_WITHIN_SECONDS = 4.0


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    with migrated_server() as server:
        yield server


@asynccontextmanager
async def outage(
    server: PostgresServer, end: Callable[[PostgresServer], None]
) -> AsyncIterator[None]:
    """End the server, and have it back when the block ends."""
    await asyncio.to_thread(end, server)
    try:
        yield
    finally:
        await asyncio.to_thread(server.resume)


@pytest.mark.parametrize(
    "end",
    [
        pytest.param(PostgresServer.kill, id="kill"),
        pytest.param(lambda server: server.stop("fast"), id="fast", marks=pytest.mark.slow),
        pytest.param(
            lambda server: server.stop("immediate"), id="immediate", marks=pytest.mark.slow
        ),
    ],
)
async def test_clients_get_503_with_retry_after_until_it_is_back(
    server: PostgresServer, end: Callable[[PostgresServer], None]
) -> None:
    async with service_on(server.url()) as service:
        async with Load(service.port) as load:
            for _ in range(5):
                await load.each_creates()
            ended = time.monotonic()
            async with outage(server, end):
                await load.is_not_created()
                await asyncio.sleep(OUTAGE_SECONDS)
            resumed = time.monotonic()
            await load.each_creates()
            back = time.monotonic()
        kept = {item["name"]: item["id"] for item in await all_items(service)}

    assert back - resumed < BACK_WITHIN_SECONDS
    assert load.created.items() <= kept.items()
    assert load.not_created
    assert not load.not_created & kept.keys()
    lines = events_of(service, "requests failed")
    assert 1 <= len(lines) <= back - ended + 2
    assert all(line["reason"] and line["requests"] for line in lines)
    assert_no_traceback(service)


async def restart(server: PostgresServer) -> None:
    await asyncio.to_thread(server.restart)


async def terminate_all_backends(server: PostgresServer) -> None:
    administrator = await asyncpg.connect(server.url(driver="postgresql"))
    try:
        terminated = await administrator.fetchval(
            "SELECT array_agg(pid) FILTER (WHERE pg_terminate_backend(pid)) FROM pg_stat_activity "
            "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )
        assert len(terminated) > 1
        # With a time to wait, a call returns when the process is gone.
        await administrator.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM unnest($1::int[]) AS pid", terminated
        )
    finally:
        await administrator.close()


@pytest.mark.parametrize("end_connections", [restart, terminate_all_backends])
async def test_connections_that_died_while_idle_reach_no_client(
    server: PostgresServer, end_connections: Callable[[PostgresServer], Awaitable[None]]
) -> None:
    async with service_on(server.url()) as service, AsyncExitStack() as stack:
        readers, writers = [
            [await stack.enter_async_context(KeepAliveClient(service.port)) for _ in range(CLIENTS)]
            for _ in range(2)
        ]
        # So many at once need every connection that the pool may have.
        await asyncio.gather(*(client.request("GET") for client in [*readers, *writers]))
        await end_connections(server)
        # Writes come first: a read can be repeated, and would replace the dead connections.
        responses = await asyncio.gather(
            *(client.request("POST", content={"name": "lamp"}) for client in writers),
            *(client.request("GET") for client in readers),
        )

    assert [response.status for response in responses] == [201] * CLIENTS + [200] * CLIENTS
    assert not events_of(service, "requests failed")
    assert_no_traceback(service)
