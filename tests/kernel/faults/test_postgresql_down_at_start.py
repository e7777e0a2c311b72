"""The service starts while PostgreSQL is down, says so, and serves as soon as it is there.

Without the condition in `upgrade_embedded_database` (`adapters/sql/kernel/migration/schema.py`),
every start reads the schema from the database, and the service cannot start without it.
"""

import asyncio
from collections.abc import Iterator

import pytest

from tests.kernel.faults.keep_alive_client import KeepAliveClient
from tests.kernel.faults.postgresql_service import (
    assert_unavailable,
    migrated_server,
    needs_postgresql,
    service_on,
)
from tests.kernel.faults.service_log import assert_no_traceback
from tests.kernel.integration.service import PRODUCTS, UNKNOWN_ID
from tests.kernel.processes.postgresql_server import PostgresServer

pytestmark = needs_postgresql

# Two, and some for a busy machine.
BACK_WITHIN_SECONDS = 6.0


@pytest.fixture
def stopped_server() -> Iterator[PostgresServer]:
    """A server that has the schema of today, and is down."""
    with migrated_server() as server:
        server.stop()
        yield server


async def test_it_starts_without_postgresql_and_serves_once_it_is_there(
    stopped_server: PostgresServer,
) -> None:
    async with (
        service_on(stopped_server.url()) as service,
        KeepAliveClient(service.port) as client,
    ):
        assert (await client.request("GET", "/health/live")).status == 200
        assert_unavailable(await client.request("GET", "/health/ready"))
        for method, path, content in (
            ("GET", PRODUCTS, None),
            ("GET", f"{PRODUCTS}/{UNKNOWN_ID}", None),
            ("POST", PRODUCTS, {"name": "lamp"}),
            ("PATCH", f"{PRODUCTS}/{UNKNOWN_ID}", {"name": "lamp"}),
            ("DELETE", f"{PRODUCTS}/{UNKNOWN_ID}", None),
        ):
            assert_unavailable(await client.request(method, path, content))

        await asyncio.to_thread(stopped_server.resume)
        async with asyncio.timeout(BACK_WITHIN_SECONDS):
            created = await client.request("POST", PRODUCTS, {"name": "lamp"})
            assert created.status == 201
            while (ready := await client.request("GET", "/health/ready")).status != 200:
                assert_unavailable(ready)
                await asyncio.sleep(0.05)
        kept = await client.request("GET", PRODUCTS)

    assert kept.json() == [created.json()]
    assert_no_traceback(service)
