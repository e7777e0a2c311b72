"""Pipelined requests get their responses in order, however the network splits the data.

Without `HttpProtocol._end_of_piece`, the parser runs into the next request: its bytes count as
those of the previous one, and it is parsed while that one is served. Without the limit on pending
bytes, or the flow control that enforces it, a client can fill the memory.
"""

import asyncio
import re
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from entrypoints.kernel.server.config import ServerConfig
from entrypoints.kernel.server.http_protocol import MAX_HEAD_BYTES, MAX_PENDING_BYTES, HttpProtocol
from tests.kernel.integration.service import settings_for

HOST = b"Host: test\r\n"
REQUESTS = [
    b"GET /0 HTTP/1.1\r\n" + HOST + b"\r\n",
    b"POST /1 HTTP/1.1\r\n" + HOST + b"Content-Length: 9\r\n\r\n\r\n\r\nG\r\n\r\n",
    b"POST /2 HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n"
    b"4\r\n\r\n\r\n\r\n0\r\nTrailer: 1\r\n\r\n",
    b"\r\n\r\nHEAD /3 HTTP/1.1\r\n" + HOST + b"\r\n",
    b"POST /4 HTTP/1.1\r\n" + HOST + b"Connection: Upgrade\r\nUpgrade: h2c\r\n"
    b"Content-Length: 4\r\n\r\n\r\n\r\n",
    b"POST /5 HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"GET /6 HTTP/1.1\r\n" + HOST + b"\r\n",
]
BODIES = [b"", b"\r\n\r\nG\r\n\r\n", b"\r\n\r\n", b"", b"\r\n\r\n", b"", b""]


class Wire(asyncio.Transport):
    """Notes what is sent, and whether the protocol wants to read."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 1), "sockname": ("127.0.0.1", 2)})
        self.sent = b""
        self.is_reading_now = True
        self._closing = False

    def write(self, data: Any) -> None:
        self.sent += data

    def writelines(self, list_of_data: Iterable[Any]) -> None:
        self.sent += b"".join(list_of_data)

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None: ...

    def pause_reading(self) -> None:
        self.is_reading_now = False

    def resume_reading(self) -> None:
        self.is_reading_now = True

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        self._closing = True

    def abort(self) -> None:
        self._closing = True


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Respond with the path and the body, one request at a time."""
    assert scope["state"].setdefault("busy", []) == []
    scope["state"]["busy"].append(scope)
    body = b""
    while True:
        message = await receive()
        body += message["body"]
        if not message["more_body"]:
            break
    await asyncio.sleep(0)
    scope["state"]["busy"].remove(scope)
    content = scope["path"].encode() + b"|" + body.hex().encode() + b";"
    length = (b"content-length", b"%d" % len(content))
    await send({"type": "http.response.start", "status": 200, "headers": [length]})
    await send({"type": "http.response.body", "body": content})


def connected(app: Any) -> tuple[HttpProtocol, Wire]:
    config = ServerConfig(settings_for("memory://"), lambda: app)
    state: dict[str, Any] = {"busy": []}
    protocol = HttpProtocol(config, ServerState(), app_state=state)
    wire = Wire()
    protocol.connection_made(wire)
    return protocol, wire


async def until_still(wire: Wire) -> None:
    still = 0
    while still < 20:
        before = wire.sent
        await asyncio.sleep(0)
        still = still + 1 if wire.sent == before else 0


async def responses_to(pieces: Iterable[bytes]) -> bytes:
    protocol, wire = connected(echo)
    for piece in pieces:
        assert not wire.is_closing()
        protocol.data_received(piece)
        await asyncio.sleep(0)
    await until_still(wire)
    protocol.connection_lost(None)
    return wire.sent


def assert_complete(sent: bytes, number: int) -> None:
    expected = [
        (f"/{each}".encode(), BODIES[each].hex().encode())
        for each in range(number)
        if each != 3  # HEAD
    ]
    assert re.findall(rb"(/\d)\|([0-9a-f]*);", sent) == expected
    assert sent.count(b"HTTP/1.1 200 OK\r\n") == number


async def test_each_gets_its_response_wherever_the_data_is_split() -> None:
    content = b"".join(REQUESTS)
    for cut in range(len(content) + 1):
        sent = await responses_to(filter(None, (content[:cut], content[cut:])))
        assert_complete(sent, len(REQUESTS))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, len(b"".join(REQUESTS))), max_size=12))
def test_each_gets_its_response_however_the_data_is_split(cuts: list[int]) -> None:
    content = b"".join(REQUESTS)
    edges = sorted({0, *cuts, len(content)})
    pieces = [content[a:b] for a, b in pairwise(edges)]
    assert_complete(asyncio.run(responses_to(pieces)), len(REQUESTS))


async def test_a_thousand_in_one_send_get_responses_in_order() -> None:
    requests = [b"GET /%d HTTP/1.1\r\n" % number + HOST + b"\r\n" for number in range(1_000)]
    content = b"".join(requests)
    assert len(content) > MAX_HEAD_BYTES
    sent = await responses_to([content])
    assert re.findall(rb"/(\d+)\|", sent) == [b"%d" % number for number in range(1_000)]


async def test_limits_are_those_of_each_request() -> None:
    large = b"GET / HTTP/1.1\r\n" + HOST + b"A: " + b"a" * MAX_HEAD_BYTES + b"\r\n\r\n"
    sent = await responses_to([REQUESTS[0] * 3 + large])
    assert re.findall(rb"HTTP/1.1 (\d+)", sent) == [b"200"] * 3 + [b"431"]


@pytest.mark.parametrize("looks_for_disconnect", [False, True])
async def test_what_is_read_ahead_is_bounded(looks_for_disconnect: bool) -> None:
    may_respond = asyncio.Event()

    async def wait(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        while looks_for_disconnect and not may_respond.is_set():
            waiting: asyncio.Task[Any] = asyncio.create_task(receive())  # type: ignore[arg-type]
            await asyncio.sleep(0)
            waiting.cancel()
        await may_respond.wait()
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    protocol, wire = connected(wait)
    protocol.data_received(REQUESTS[0])
    await asyncio.sleep(0.01)
    sent_ahead = 0
    while wire.is_reading_now and sent_ahead < 20 * MAX_PENDING_BYTES:
        protocol.data_received(REQUESTS[0] * 100)
        sent_ahead += 100
        await asyncio.sleep(0)
    assert sent_ahead * len(REQUESTS[0]) <= MAX_PENDING_BYTES + 100 * len(REQUESTS[0])

    may_respond.set()
    await until_still(wire)
    assert wire.is_reading_now
    assert wire.sent.count(b"HTTP/1.1 204 ") == 1 + sent_ahead
    protocol.connection_lost(None)
