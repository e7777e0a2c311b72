"""Clients that hang up in mid-request: their work ends, and its connections serve others.

Without `HttpProtocol.connection_lost`, the work continues: the waiting changes are made as soon as
the lock is released, for a client that is gone, and until then they hold all connections of the
pool.
"""

import asyncio
import json
from typing import Any

import asyncpg
import pytest
from sqlalchemy import make_url

from tests.kernel.faults.running import client_of, service_on
from tests.kernel.faults.service_log import assert_no_traceback
from tests.kernel.integration.service import PRODUCTS
from tests.kernel.postgresql_databases import others_wait_for
from tests.kernel.processes.service_process import ServiceProcess


@pytest.mark.parametrize("clients", [50, pytest.param(500, marks=pytest.mark.slow)])
async def test_the_work_of_clients_that_hang_up_is_cancelled_and_rolled_back(
    postgresql_url: str, clients: int
) -> None:
    dsn = make_url(postgresql_url).set(drivername="postgresql")
    holder = await asyncpg.connect(dsn.render_as_string(hide_password=False))
    try:
        async with (
            service_on(postgresql_url, APP_DATABASE_POOL_SIZE="5") as service,
            client_of(service) as client,
        ):
            address = f"{PRODUCTS}/"
            item = (await client.post(address, json={"name": "lamp"})).json()
            address += item["id"]
            before = service.memory_bytes()
            async with holder.transaction():
                await holder.execute("SELECT FROM products FOR UPDATE")
                await asyncio.gather(*(patch_and_hang_up(service, address) for _ in range(clients)))
                # The lock is still held: only cancelled requests can have released a connection.
                response = await client.get(address)
                assert (response.status_code, response.json()["version"]) == (200, 1)
                await until_nobody_waits(holder)
            assert (await client.get(address)).json() == item
            assert service.memory_bytes() - before < 25_000_000
            assert_no_traceback(service)
            assert '"level":"error"' not in service.log
    finally:
        await holder.close()


async def patch_and_hang_up(service: ServiceProcess, address: str) -> None:
    body = json.dumps({"name": "blue lamp"})
    _, writer = await asyncio.open_connection(service.host, service.port)
    writer.write(
        f"PATCH {address} HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n{body}".encode()
    )
    await writer.drain()
    await asyncio.sleep(0.5)
    writer.transport.abort()


async def until_nobody_waits(holder: Any) -> None:
    while await others_wait_for(holder):
        await asyncio.sleep(0.05)
