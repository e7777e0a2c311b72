"""Graceful shutdown under load: every request gets a response, and no connection is reset.

Without `DrainingServer.shutdown`, uvicorn at once closes idle connections on which clients may be
sending, and `/health/ready` never reports the shutdown. Without `SingleServer` and
`Supervisor.join_all` the second signal has no effect; without the latter the kernel also connects
clients that no worker is left to serve. Without the last accept in `Listener.close`, connections
that are in the kernel's backlog by then are reset.
"""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import httpx
import pytest
import uvloop
from sqlalchemy import make_url

from entrypoints.http.kernel.problems.problem_types import OUTCOME_UNKNOWN
from entrypoints.kernel.server.config import ServerConfig
from entrypoints.kernel.server.server import DrainingServer
from tests.kernel.faults.running import all_items, client_of, on_both_databases, service_on
from tests.kernel.faults.service_log import assert_no_traceback
from tests.kernel.integration.problem_document import problem_of
from tests.kernel.integration.service import PRODUCTS, settings_for
from tests.kernel.postgresql_databases import others_wait_for
from tests.kernel.processes.free_port import free_port
from tests.kernel.processes.service_process import ServiceProcess
from tests.kernel.warehouse.app import create_app

CLIENTS = 20


async def create_until_the_connection_closes(
    service: ServiceProcess, number: int
) -> list[httpx.Response]:
    """Create items on one connection until a response closes it; raise if it ends otherwise."""
    responses = []
    async with client_of(service) as client:
        while True:
            response = await client.post(PRODUCTS, json={"name": f"of client {number}"})
            responses.append(response)
            if response.headers.get("Connection") == "close":
                return responses
            # Between its requests a connection is idle, as most are most of the time.
            await asyncio.sleep(0.005)


@on_both_databases
@pytest.mark.parametrize("workers", ["1", "2"])
async def test_every_request_gets_a_response_and_no_connection_is_reset(
    fault_url: str, workers: str
) -> None:
    async with service_on(fault_url, APP_WORKERS=workers) as service:
        clients = [
            asyncio.create_task(create_until_the_connection_closes(service, number))
            for number in range(CLIENTS)
        ]
        await asyncio.sleep(0.7)
        service.terminate()
        responses = [response for each in await asyncio.gather(*clients) for response in each]
        assert await service.wait() == 0

    assert {response.status_code for response in responses} == {201}
    async with service_on(fault_url) as restarted:
        kept = {item["id"] for item in await all_items(restarted)}
    assert kept == {response.json()["id"] for response in responses}


def test_connections_in_the_backlog_get_a_response(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def connect_and_shut_down() -> None:
        settings = settings_for("memory://", port=free_port())
        config = ServerConfig(settings, lambda: create_app(settings))
        config.load()
        server = DrainingServer(config)
        server.lifespan = config.lifespan_class(config)
        await server.startup()
        clients = [socket.create_connection((config.host, config.port), 10) for _ in range(20)]
        # Nothing was awaited since: the event loop has yet to hear of them.
        shutdown = asyncio.create_task(server.shutdown())
        for client in clients:
            client.sendall(b"GET /health/live HTTP/1.1\r\nHost: test\r\n\r\n")
        for client in clients:
            response = await asyncio.to_thread(client.recv, 100)
            assert response.startswith(b"HTTP/1.1 200 ")
            client.close()
        await shutdown

    monkeypatch.setenv("APP_DATABASE_URL", "memory://")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(connect_and_shut_down())


async def test_clients_that_connect_while_the_last_worker_ends_are_rejected(
    postgresql_url: str,
) -> None:
    async with service_on(
        postgresql_url, APP_WORKERS="2", APP_REQUEST_DEADLINE_SECONDS="60"
    ) as service:
        async with patch_that_waits(service, postgresql_url) as patch:
            service.terminate()
            await until_it_refuses(service)
            assert not patch.done()
        assert patch.result().status_code == 200
        assert await service.wait() == 0


async def until_it_refuses(service: ServiceProcess) -> None:
    async with asyncio.timeout(10):
        with pytest.raises(ConnectionRefusedError):
            while True:
                _, writer = await asyncio.open_connection(service.host, service.port)
                writer.close()
                await asyncio.sleep(0.05)


async def test_it_is_not_ready_first_and_serves_meanwhile(sqlite_file_url: str) -> None:
    async with service_on(sqlite_file_url) as service:
        with socket.create_connection((service.host, service.port)):  # an idle client
            service.terminate()
            while (await fresh_get(service, "/health/ready")).status_code == 200:
                await asyncio.sleep(0.01)
            response = await fresh_get(service, PRODUCTS)
            assert (response.status_code, response.headers["Connection"]) == (200, "close")
            assert await service.wait() == 0


@pytest.mark.parametrize("workers", ["1", "2"])
async def test_a_request_under_way_is_finished(postgresql_url: str, workers: str) -> None:
    async with service_on(postgresql_url, APP_WORKERS=workers) as service:
        async with patch_that_waits(service, postgresql_url) as patch:
            # A terminal and systemd signal each process of the group, a supervisor its workers.
            os.killpg(service.pid, signal.SIGTERM)
            await asyncio.sleep(1.0)
        response = patch.result()
        assert (response.status_code, response.headers["Connection"]) == (200, "close")
        assert await service.wait() == 0


async def test_a_request_that_outlasts_the_grace_period_gets_a_response(
    postgresql_url: str,
) -> None:
    async with service_on(postgresql_url, APP_SHUTDOWN_GRACE_SECONDS="1") as service:
        async with patch_that_waits(service, postgresql_url) as patch:
            service.terminate()
            response = await patch
        # The statement that waits is a transaction of its own, and may have been carried out.
        problem_of(response, OUTCOME_UNKNOWN)
        assert await service.wait() == 0
        assert_no_traceback(service)


@pytest.mark.parametrize("workers", ["1", "2"])
async def test_a_second_signal_ends_it_at_once(postgresql_url: str, workers: str) -> None:
    async with (
        service_on(
            postgresql_url,
            APP_WORKERS=workers,
            APP_SHUTDOWN_GRACE_SECONDS="600",
            APP_REQUEST_DEADLINE_SECONDS="600",
        ) as service,
        patch_that_waits(service, postgresql_url) as patch,
    ):
        service.terminate()
        await asyncio.sleep(1.0)
        assert not patch.done()
        service.terminate()
        assert await service.wait(20) == 0
        assert_no_traceback(service)


@asynccontextmanager
async def patch_that_waits(
    service: ServiceProcess, url: str
) -> AsyncIterator[asyncio.Task[httpx.Response]]:
    """Send a PATCH whose row is locked until the block ends; it is done after the block."""
    async with client_of(service) as client:
        item = (await client.post(PRODUCTS, json={"name": "lamp"})).json()
        holder = await asyncpg.connect(dsn(url))
        try:
            async with holder.transaction():
                await holder.execute("SELECT FROM products FOR UPDATE")
                patch = asyncio.create_task(
                    client.patch(f"{PRODUCTS}/{item['id']}", json={"name": "blue lamp"})
                )
                while not await others_wait_for(holder):
                    await asyncio.sleep(0.01)
                yield patch
        finally:
            await holder.close()
        await asyncio.gather(patch, return_exceptions=True)


async def fresh_get(service: ServiceProcess, path: str) -> httpx.Response:
    async with client_of(service) as client:
        return await client.get(path)


def dsn(url: str) -> Any:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
