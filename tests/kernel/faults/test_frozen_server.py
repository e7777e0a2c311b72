"""Every request gets a response within its deadline, even if PostgreSQL does not respond at all.

Without `RequestDeadline`, the requests of `test_a_frozen_server_delays_no_request` wait as long
as the queue and the connecting take. Without the timeout of a check in `Readiness`
(`entrypoints/kernel/background/readiness.py`), `/health/ready` stays as it was before the freeze.
"""

import asyncio
import time
from collections.abc import Iterator

import pytest

from tests.kernel.faults.keep_alive_client import KeepAliveClient, Response
from tests.kernel.faults.postgresql_service import (
    assert_unavailable,
    migrated_server,
    needs_postgresql,
    service_on,
)
from tests.kernel.faults.service_log import events_of
from tests.kernel.integration.service import PRODUCTS
from tests.kernel.processes.postgresql_server import PostgresServer
from tests.kernel.processes.service_process import ServiceProcess
from tests.kernel.processes.tcp_proxy import TcpProxy

pytestmark = needs_postgresql

DEADLINE = 1.0
# Two, and some for a busy machine.
READINESS_KNOWN_WITHIN_SECONDS = 6.0
SETTINGS = {"request_deadline_seconds": str(DEADLINE), "database_pool_size": "2"}


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with migrated_server() as server:
        yield server


async def responses_of(service: ServiceProcess, path: str) -> list[tuple[Response, float]]:
    """Send some requests of each kind at once; return the responses, and how long they took."""

    async def ask(method: str, path: str, content: object = None) -> tuple[Response, float]:
        async with KeepAliveClient(service.port) as client:
            started = time.monotonic()
            response = await client.request(method, path, content)
            return response, time.monotonic() - started

    item = {"name": "lamp"}
    every = [
        ask("GET", PRODUCTS),
        ask("GET", path),
        ask("POST", PRODUCTS, item),
        ask("PUT", path, item),
        ask("PATCH", path, item),
        ask("DELETE", path),
    ]
    return await asyncio.gather(*every)


async def is_serving_again(service: ServiceProcess, within: float = 10) -> None:
    deadline = time.monotonic() + within
    async with KeepAliveClient(service.port) as client:
        while (await client.request("POST", PRODUCTS, {"name": "lamp"})).status != 201:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)


async def until_ready_is(status: int, client: KeepAliveClient) -> None:
    """Return when `/health/ready` has this status; fail if that takes too long."""
    async with asyncio.timeout(READINESS_KNOWN_WITHIN_SECONDS):
        while (await client.request("GET", "/health/ready")).status != status:
            await asyncio.sleep(0.05)


async def test_a_frozen_server_delays_no_request(server: PostgresServer) -> None:
    async with service_on(server.url(), **SETTINGS) as service:
        async with KeepAliveClient(service.port) as client:
            created = await client.request("POST", PRODUCTS, {"name": "lamp"})
            path = created.headers["location"]
            await asyncio.to_thread(server.freeze)
            try:
                for response, seconds in await responses_of(service, path):
                    assert_unavailable(response)
                    assert seconds < 2 * DEADLINE
                assert (await client.request("GET", "/health/live")).status == 200
            finally:
                await asyncio.to_thread(server.thaw)
        await is_serving_again(service)

    statuses = [line["status"] for line in events_of(service, "request")]
    assert statuses.count(503) >= 6
    assert None not in statuses


async def test_a_black_hole_in_the_network_delays_no_request(server: PostgresServer) -> None:
    async with (
        TcpProxy(server.host, server.port) as proxy,
        service_on(server.url(port=proxy.port), **SETTINGS) as service,
    ):
        async with KeepAliveClient(service.port) as client:
            created = await client.request("POST", PRODUCTS, {"name": "lamp"})
        proxy.black_hole()
        for response, seconds in await responses_of(service, created.headers["location"]):
            assert_unavailable(response)
            assert seconds < 2 * DEADLINE
        proxy.flow()
        await is_serving_again(service)


async def test_a_write_in_progress_gets_an_unknown_outcome(server: PostgresServer) -> None:
    """Without the record that `PostgresqlDatabase.apply` makes of its commit, the response says
    that nothing was changed although the row is stored."""
    async with (
        service_on(server.url(), **SETTINGS) as service,
        KeepAliveClient(service.port) as client,
    ):
        await client.request("POST", PRODUCTS, {"name": "before"})
        await asyncio.to_thread(server.freeze)
        try:
            written = await client.request("POST", PRODUCTS, {"name": "in doubt"})
            read = await client.request("GET", PRODUCTS)
        finally:
            await asyncio.to_thread(server.thaw)
        await is_serving_again(service)
        names = [item["name"] for item in (await client.request("GET", PRODUCTS)).json()]

    assert "check before retrying" in written.json()["detail"]
    assert "Nothing was changed" in read.json()["detail"]
    assert "in doubt" in names


async def test_readiness_follows_the_server(server: PostgresServer) -> None:
    async with (
        service_on(server.url(), **SETTINGS) as service,
        KeepAliveClient(service.port) as client,
    ):
        await until_ready_is(200, client)
        await asyncio.to_thread(server.freeze)
        try:
            await until_ready_is(503, client)
            assert_unavailable(await client.request("GET", "/health/ready"))
            assert (await client.request("GET", "/health/live")).status == 200
        finally:
            await asyncio.to_thread(server.thaw)
        await until_ready_is(200, client)
