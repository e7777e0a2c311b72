"""A log that cannot be written breaks nothing: not a request, not a rejection, not the readiness.

Without `LogStream`, a full disk or a closed pipe raises in the code that logs, and a pipe that is
not read blocks the event loop.
"""

import asyncio
import os
from collections.abc import Iterator

import pytest
from sqlalchemy import make_url

from tests.kernel.faults.keep_alive_client import KeepAliveClient
from tests.kernel.faults.postgresql_service import assert_unavailable
from tests.kernel.faults.raw_http import send_bytes
from tests.kernel.integration.service import PRODUCTS
from tests.kernel.processes.service_process import ServiceProcess
from tests.kernel.processes.tcp_proxy import TcpProxy

# More lines than a pipe holds, which is 64 kB on Linux.
MANY = 500


@pytest.fixture(params=["disk full", "closed pipe", "unread pipe"])
def output(request: pytest.FixtureRequest) -> Iterator[int]:
    """A file descriptor that takes no log line, or soon takes none any more."""
    if request.param == "disk full":
        writer = os.open("/dev/full", os.O_WRONLY)
        yield writer
    else:
        reader, writer = os.pipe()
        if request.param == "closed pipe":
            os.close(reader)
            yield writer
        else:
            yield writer
            os.close(reader)
    os.close(writer)


async def test_every_request_gets_a_response(output: int, postgresql_url: str) -> None:
    server = make_url(postgresql_url)
    async with TcpProxy(server.host or "localhost", server.port or 5432) as proxy:
        through = server.set(host=proxy.host, port=proxy.port)
        url = through.render_as_string(hide_password=False)
        async with (
            ServiceProcess({"APP_DATABASE_URL": url}, output=output) as service,
            KeepAliveClient(service.port) as client,
        ):
            for _ in range(MANY):
                assert (await client.request("GET", "/health/live")).status == 200
            assert (await client.request("POST", PRODUCTS, {"name": "lamp"})).status == 201
            (rejected,) = await send_bytes(service, b"this is no HTTP\r\n\r\n")
            assert rejected.problem()["status"] == 400

            proxy.refuse()
            proxy.cut()
            await until_ready_is(503, client)
            assert_unavailable(await client.request("GET", PRODUCTS))

            await proxy.accept()
            await until_ready_is(200, client)
            assert (await client.request("GET", PRODUCTS)).status == 200


async def until_ready_is(status: int, client: KeepAliveClient) -> None:
    async with asyncio.timeout(30):
        while (await client.request("GET", "/health/ready")).status != status:
            await asyncio.sleep(0.05)
