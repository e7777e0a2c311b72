"""A client that sends slowly is cut off; a client that only waits for the server is not.

If `HttpProtocol` does not stop the clock while it does not read, the server's delay counts as the
client's. Without `HttpProtocol.app_reads`, all routes have the same limit.
"""

import asyncio
import re
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress

import pytest
from fastapi import FastAPI, Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from entrypoints.http.kernel.middleware.request_deadline import RequestDeadline
from entrypoints.http.kernel.problems.error_handlers import add_error_handlers
from entrypoints.http.kernel.problems.outage_log import OutageLog
from entrypoints.kernel.server.body_rate import BodyRate, body_rate
from entrypoints.kernel.server.http_protocol import HttpProtocol
from tests.kernel.faults.served_app import ServedApp, read_to_end

HOST = b"Host: test\r\n"
READ_SECONDS = 0.5
DEADLINE_SECONDS = 1.5
LARGE = 400_000
MAX_BODY_BYTES = 1_000_000

app = FastAPI()
app.add_middleware(RequestDeadline, seconds=DEADLINE_SECONDS, outage_log=OutageLog())
add_error_handlers(app)


@app.post("/late")
@body_rate(bytes_per_second=100_000, seconds=0.5)
async def late(request: Request) -> Response:
    """Begin to read when the client has long been waiting."""
    await asyncio.sleep(1.2)
    return PlainTextResponse(str(len(await request.body())))


@app.get("/slow")
async def slow() -> Response:
    await asyncio.sleep(1.2)
    return PlainTextResponse("slow")


@app.get("/block")
async def block() -> Response:
    time.sleep(1.2)  # noqa: ASYNC251
    return PlainTextResponse("blocked")


@app.post("/default")
async def default(request: Request) -> Response:
    return PlainTextResponse(str(len(await request.body())))


@app.post("/upload", max_body_size=3 * MAX_BODY_BYTES)
@body_rate(bytes_per_second=2_000, seconds=0.5)
async def upload(request: Request) -> Response:
    return PlainTextResponse(str(len(await request.body())))


@app.post("/small", max_body_size=10)
async def small(request: Request) -> Response:
    return PlainTextResponse(str(len(await request.body())))


@app.post("/unread")
async def unread() -> Response:
    return PlainTextResponse("the body is not read")


@app.post("/both")
@body_rate(bytes_per_second=1_000, seconds=0.5)
async def both(request: Request) -> Response:
    """Respond before the body is read, and read it all the same."""

    async def parts() -> AsyncIterator[bytes]:
        yield b"begun"
        async for part in request.stream():
            yield part

    return StreamingResponse(parts())


@pytest.fixture(scope="module")
def served() -> Iterator[ServedApp]:
    rate = BodyRate(seconds=READ_SECONDS)
    with pytest.MonkeyPatch.context() as patch:
        for module in ("body_rate", "http_protocol"):
            patch.setattr(f"entrypoints.kernel.server.{module}.DEFAULT_BODY_RATE", rate)
        patch.setattr(HttpProtocol, "_rate", rate)
        yield from _served()


def _served() -> Iterator[ServedApp]:
    with ServedApp(app, read_seconds=READ_SECONDS, max_body_bytes=MAX_BODY_BYTES) as served:
        yield served


def post(path: str, length: int, *fields: bytes) -> bytes:
    return (
        b"POST %b HTTP/1.1\r\n" % path.encode()
        + HOST
        + b"".join(field + b"\r\n" for field in (b"Content-Length: %d" % length, *fields))
        + b"\r\n"
    )


def statuses(received: bytes) -> list[int]:
    return [int(status) for status in re.findall(rb"HTTP/1.1 (\d+)", received)]


def test_a_body_that_the_app_reads_late_is_not_the_clients_delay(served: ServedApp) -> None:
    content = post("/late", LARGE, b"Connection: close") + bytes(LARGE)
    assert served.ask(content).endswith(b"%d" % LARGE)


def test_a_body_behind_a_slow_request_is_not_the_clients_delay(served: ServedApp) -> None:
    first = b"GET /slow HTTP/1.1\r\n" + HOST + b"\r\n"
    content = first + post("/default", LARGE, b"Connection: close") + bytes(LARGE)
    received = served.ask(content)
    assert statuses(received) == [200, 200]
    assert received.endswith(b"%d" % LARGE)


@pytest.mark.parametrize("begun", [b"GE", post("/default", 10), b""])
def test_bytes_that_arrive_while_the_event_loop_is_late_are_in_time(
    served: ServedApp, begun: bytes
) -> None:
    request = post("/default", 10, b"Connection: close") + bytes(10)
    if begun.startswith(b"GE"):
        request = b"GET /slow HTTP/1.1\r\nConnection: close\r\n" + HOST + b"\r\n"
    elif begun:
        request = post("/default", 10) + bytes(10)
    with served.connect() as client, served.connect() as blocking:
        client.sendall(begun)
        time.sleep(0.05)
        blocking.sendall(b"GET /block HTTP/1.1\r\nConnection: close\r\n" + HOST + b"\r\n")
        time.sleep(0.1)
        client.sendall(request[len(begun) :])
        client.shutdown(socket.SHUT_WR)
        received = read_to_end(client)
        read_to_end(blocking)
    assert 408 not in statuses(received)
    assert statuses(received)[-1:] == [200]


def test_a_body_that_is_slow_but_steady_is_read(served: ServedApp) -> None:
    """It takes longer than any fixed limit here: that of a head, and the request's deadline."""
    with served.connect() as client:
        client.sendall(post("/upload", 20_000, b"Connection: close"))
        for _ in range(20):
            client.sendall(bytes(1_000))
            time.sleep(0.1)
        assert read_to_end(client).endswith(b"20000")


@pytest.mark.parametrize("at_first", [0, 5_000])
def test_a_body_below_the_least_rate_is_cut_off(served: ServedApp, at_first: int) -> None:
    """However much came before, and however steadily it drips."""
    with served.connect() as client:
        client.sendall(post("/upload", 1_000_000) + bytes(at_first))
        client.settimeout(0.05)
        received = b""
        began = time.monotonic()
        while not received:
            assert time.monotonic() - began < 20
            client.sendall(b"a")
            try:
                received = client.recv(10_000)
            except TimeoutError:
                continue
    assert statuses(received) == [408]


def test_each_route_has_a_limit_of_its_own(served: ServedApp) -> None:
    size = MAX_BODY_BYTES + 1
    accepted = post("/upload", size, b"Connection: close") + bytes(size)
    assert served.ask(accepted).endswith(b"%d" % size)
    # Rejected before it is read: none of it is sent.
    for path, length in (("/default", size), ("/small", 11), ("/upload", 3 * size)):
        (status,) = statuses(served.ask(post(path, length, b"Connection: close")))
        assert status == 413, path


def test_the_limits_hold_for_chunks(served: ServedApp) -> None:
    chunk = b"%x\r\n%b\r\n" % (100_000, bytes(100_000))
    for path, chunks, status in (
        ("/upload", 11, 200),
        ("/default", 11, 413),
        ("/upload", 31, 413),
        ("/small", 1, 413),
        ("/default", 10, 200),
    ):
        head = b"POST %b HTTP/1.1\r\nConnection: close\r\n" % path.encode() + HOST
        content = head + b"Transfer-Encoding: chunked\r\n\r\n" + chunk * chunks + b"0\r\n\r\n"
        assert statuses(served.ask(content)) == [status], (path, chunks)


def test_no_body_is_requested_that_would_be_rejected(served: ServedApp) -> None:
    expect = b"Expect: 100-continue"
    size = MAX_BODY_BYTES + 1
    assert statuses(served.ask(post("/default", size, expect))) == [413]
    with served.connect() as client:
        client.sendall(post("/upload", size, expect, b"Connection: close"))
        assert statuses(client.recv(1_000)) == [100]
        client.sendall(bytes(size))
        assert statuses(read_to_end(client)) == [200]


@pytest.mark.parametrize("path", ["/unread", "/nowhere"])
def test_a_response_before_the_body_is_not_lost_to_a_reset(served: ServedApp, path: str) -> None:
    size = MAX_BODY_BYTES + 1
    with served.connect() as client:
        client.sendall(post(path, size) + bytes(100_000))
        received = client.recv(10_000)
        client.sendall(bytes(100_000))  # it does not look before it has sent more
        received += read_to_end(client)
    assert statuses(received) == [200 if path == "/unread" else 404]
    assert b"connection: close" in received.lower()


@pytest.mark.parametrize("too", ["slow", "large"])
def test_no_second_response_is_sent_into_one_that_is_under_way(served: ServedApp, too: str) -> None:
    head = b"POST /both HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n"
    with served.connect() as client:
        client.sendall(head + b"1\r\na\r\n")
        received = b""
        while b"begun" not in received:
            received += client.recv(1_000)
        if too == "large":
            chunk = b"%x\r\n%b\r\n" % (100_000, bytes(100_000))
            with suppress(ConnectionError):
                client.sendall(chunk * 11)
        received += read_to_end(client)
    assert statuses(received) == [200]
    assert b"problem" not in received
    assert not received.endswith(b"0\r\n\r\n")
