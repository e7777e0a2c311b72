"""PostgreSQL is killed or stopped under load, or while nobody asks, and comes back.

Taken out, what tells the drivers' errors apart (`adapters/sql/driver_errors.py`) makes the answers
of the outage 500s; taken out, the loop in `PostgresqlDatabase._lend` gives connections that died in
the pool to the first who write; taken out, what `StorageTrouble` counts fills the log.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Self
from uuid import uuid4

import asyncpg
import pytest

from tests.faults.keep_alive_client import Answer, KeepAliveClient
from tests.faults.postgresql_service import (
    assert_unavailable,
    migrated_server,
    needs_postgresql,
    service_on,
)
from tests.faults.running import all_items
from tests.faults.service_log import assert_no_traceback, events_of
from tests.integration.service import ITEMS
from tests.processes.postgresql_server import PostgresServer

pytestmark = needs_postgresql

CLIENTS = 20
OUTAGE_SECONDS = 1.5
BACK_WITHIN_SECONDS = 1.0


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    with migrated_server() as server:
        yield server


class Load:
    """Clients that get, list and create all the time, each on its one connection, for as long as
    the block lasts.

    An answer that is neither good nor a 503 as it should be, and a connection that is reset, fail
    the block.
    """

    def __init__(self, port: int) -> None:
        self.refusals = 0
        self.created: dict[str, str] = {}
        self.not_created: set[str] = set()
        self._port = port
        self._is_over = False
        self._last_created = [0.0] * CLIENTS
        self._clients = asyncio.TaskGroup()

    async def __aenter__(self) -> Self:
        await self._clients.__aenter__()
        for number in range(CLIENTS):
            self._clients.create_task(self._run(number))
        return self

    async def __aexit__(self, *error: Any) -> None:
        self._is_over = True
        await self._clients.__aexit__(*error)

    async def each_creates(self) -> None:
        """Return when each client has sent a POST after this moment that was answered with 201."""
        began = time.monotonic()
        while min(self._last_created) < began:
            await asyncio.sleep(0.002)

    async def is_refused(self) -> None:
        """Return when another request was refused."""
        refusals = self.refusals
        while self.refusals == refusals:
            await asyncio.sleep(0.002)

    async def _run(self, number: int) -> None:
        path = ITEMS
        async with KeepAliveClient(self._port) as client:
            while not self._is_over:
                name = uuid4().hex
                await self._ask(client, "GET", path)
                await self._ask(client, "GET", f"{ITEMS}?limit=10")
                sent_at = time.monotonic()
                answer = await self._ask(client, "POST", ITEMS, {"name": name})
                if answer.status == 201:
                    path = answer.headers["location"]
                    self.created[name] = answer.json()["id"]
                    self._last_created[number] = sent_at
                elif "Nothing was changed" in answer.json()["detail"]:
                    self.not_created.add(name)

    async def _ask(
        self, client: KeepAliveClient, method: str, path: str, content: object = None
    ) -> Answer:
        answer = await client.request(method, path, content)
        if answer.status not in {200, 201}:
            assert_unavailable(answer)
            self.refusals += 1
            await asyncio.sleep(0.01)  # the processor is for those who bring the server back
        return answer


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
async def test_clients_are_told_to_try_again_until_it_is_back(
    server: PostgresServer, end: Callable[[PostgresServer], None]
) -> None:
    async with service_on(server.url()) as service:
        async with Load(service.port) as load:
            for _ in range(5):
                await load.each_creates()
            ended = time.monotonic()
            async with outage(server, end):
                await load.is_refused()
                await asyncio.sleep(OUTAGE_SECONDS)
            resumed = time.monotonic()
            await load.each_creates()
            back = time.monotonic()
        kept = {item["name"]: item["id"] for item in await all_items(service)}

    assert back - resumed < BACK_WITHIN_SECONDS
    assert load.created.items() <= kept.items()
    assert load.not_created
    assert not load.not_created & kept.keys()
    trouble = events_of(service, "storage trouble")
    assert 1 <= len(trouble) <= back - ended + 2
    assert all(line["reason"] and line["requests"] for line in trouble)
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
        # Those who write come first: a read can be repeated, and would find out for them.
        answers = await asyncio.gather(
            *(client.request("POST", content={"name": "lamp"}) for client in writers),
            *(client.request("GET") for client in readers),
        )

    assert [answer.status for answer in answers] == [201] * CLIENTS + [200] * CLIENTS
    assert not events_of(service, "storage trouble")
    assert_no_traceback(service)
