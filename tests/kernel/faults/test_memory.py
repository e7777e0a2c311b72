"""The service's memory does not grow with the number of requests that it has served.

Guards whatever is kept from one request to the next: kept for ever, as in a list of all requests'
ids, it fails. Less than some 60 bytes of each request pass unnoticed.
"""

import asyncio
import faulthandler
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from itertools import count
from typing import cast

import pytest

from tests.kernel.faults.running import service_on
from tests.kernel.integration.service import PRODUCTS, UNKNOWN_ID

FEW = 20_000
MANY = 200_000
CLIENTS = 20
REQUESTS_OF_A_ROUND = 10
END_OF_HEAD = b"\r\n\r\n"
LENGTH = re.compile(rb"\r\ncontent-length: (\d+)")
LOCATION = re.compile(rb"\r\nlocation: (\S+)")


class CheapClient(asyncio.Protocol):
    """One connection, for requests that are bytes already: any other client would take longer to
    ask than the service to respond."""

    def __init__(self) -> None:
        self._received = b""
        self._response: asyncio.Future[bytes] = asyncio.Future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._response.done():
            self._response.set_exception(exc or ConnectionResetError())

    def data_received(self, data: bytes) -> None:
        self._received += data
        end = self._received.find(END_OF_HEAD)
        if end < 0:
            return
        length = LENGTH.search(self._received, 0, end)
        if len(self._received) >= end + len(END_OF_HEAD) + (int(length[1]) if length else 0):
            self._response.set_result(self._received)

    def ask(self, request: bytes) -> "asyncio.Future[bytes]":
        """Send a request; the result is head and body of the response."""
        self._received = b""
        self._response = asyncio.Future()
        self._transport.write(request)
        return self._response

    def close(self) -> None:
        self._transport.close()


@asynccontextmanager
async def cheap_client(port: int) -> AsyncIterator[CheapClient]:
    loop = asyncio.get_running_loop()
    _, client = await loop.create_connection(CheapClient, "127.0.0.1", port)
    try:
        yield client
    finally:
        client.close()


def request(method: bytes, path: bytes, body: bytes = b"", *fields: bytes) -> bytes:
    lines = [b"%b %b HTTP/1.1" % (method, path), b"Host: test", *fields]
    if body:
        lines += [b"Content-Type: application/json", b"Content-Length: %d" % len(body)]
    return b"\r\n".join([*lines, b"", body])


ADDRESS = PRODUCTS.encode()
ITEM = b'{"name": "Blue lamp", "description": "It shines."}'
CREATE = request(b"POST", ADDRESS, ITEM)
LIST = request(b"GET", ADDRESS + b"?limit=10")
UNKNOWN = request(b"GET", ADDRESS + b"/" + UNKNOWN_ID.encode())
INVALID = request(b"POST", ADDRESS, b'{"name": " "}')
IF_FIRST = b'If-Match: "1"'


async def ask_each_kind(client: CheapClient, key: int) -> None:
    """Send one round of requests, which leaves no item behind."""

    async def ask(content: bytes, status: bytes) -> bytes:
        response = await client.ask(content)
        assert response[9:12] == status, response
        return response

    def location(response: bytes) -> bytes:
        found = LOCATION.search(response)
        assert found
        return found[1]

    with_key = request(b"POST", ADDRESS, ITEM, b"Idempotency-Key: %d" % key)
    first = location(await ask(CREATE, b"201"))
    second = location(await ask(with_key, b"201"))
    assert location(await ask(with_key, b"201")) == second
    await ask(request(b"GET", first), b"200")
    await ask(LIST, b"200")
    await ask(request(b"PATCH", first, b'{"name": "Lamp"}', IF_FIRST), b"200")
    await ask(UNKNOWN, b"404")
    await ask(INVALID, b"422")
    await ask(request(b"DELETE", first), b"204")
    await ask(request(b"DELETE", second), b"204")


async def send(port: int, keys: Iterator[int], requests: int) -> None:
    rounds = iter(range(requests // REQUESTS_OF_A_ROUND))

    async def send_some() -> None:
        async with cheap_client(port) as client:
            for _ in rounds:
                await ask_each_kind(client, next(keys))

    await asyncio.gather(*(send_some() for _ in range(CLIENTS)))


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_memory_is_the_same_after_many_requests(postgresql_url: str) -> None:
    # pytest's own watch ends a test run after three minutes, which a busy machine may need.
    faulthandler.cancel_dump_traceback_later()
    keys = count()
    async with service_on(postgresql_url) as service:
        await send(service.port, keys, FEW)
        after_few = service.memory_bytes()
        await send(service.port, keys, MANY - FEW)
        after_many = service.memory_bytes()

    assert after_many < 1.1 * after_few
