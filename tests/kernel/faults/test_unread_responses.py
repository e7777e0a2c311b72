"""A client that does not read its responses holds no connection for ever.

Without `HttpProtocol._start_write_timeout`, the connection, its responses and the task that sends
them stay as long as the client likes.
"""

import asyncio
import socket

import pytest

from entrypoints.kernel.server.http_protocol import WRITE_SECONDS
from tests.kernel.faults.malformed_requests import HOST
from tests.kernel.faults.running import client_of, service_on
from tests.kernel.integration.service import PRODUCTS, create
from tests.kernel.processes.service_process import ServiceProcess

CLIENTS = 3
PAGE = f"GET {PRODUCTS}/?limit=200 HTTP/1.1\r\n".encode() + HOST


@pytest.mark.slow
@pytest.mark.parametrize("connection", [b"keep-alive", b"close"])
async def test_a_client_that_does_not_read_is_cut_off(connection: bytes) -> None:
    async with service_on("memory://") as service:
        async with client_of(service) as client:
            for number in range(200):
                await create(client, f"item {number}", "It takes some room. " * 50)
        last = PAGE + b"Connection: " + connection + b"\r\n\r\n"
        clients = [impolite_client(service, (PAGE + b"\r\n") * 20 + last) for _ in range(CLIENTS)]
        await asyncio.sleep(1)
        held = sockets_of(service)
        async with asyncio.timeout(WRITE_SECONDS + 20):
            while sockets_of(service) > held - CLIENTS:
                await asyncio.sleep(0.2)
        for each in clients:
            each.close()


def impolite_client(service: ServiceProcess, content: bytes) -> socket.socket:
    client = socket.socket()
    # The less the client's system takes, the more is left to the service.
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2_048)
    client.connect((service.host, service.port))
    client.sendall(content)
    return client


def sockets_of(service: ServiceProcess) -> int:
    return sum(name.startswith("socket:") for name in service.open_files())
