"""Clients that close their side of the connection, and clients that do not read.

Without `HttpProtocol.eof_received`, a client that has closed only its own side gets no response.
Without the check that such a client is still connected, the work for clients that are gone
continues. Without the limit of `BufferedTransport`, a response that is not read fills the memory.
"""

import asyncio
import re
import threading
import time
from collections.abc import AsyncIterator, Iterator

import pytest
from fastapi import FastAPI, Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from tests.kernel.faults.served_app import ServedApp

HOST = b"Host: test\r\n"
PIECE = bytes(100_000)
PIECES = 2_500

app = FastAPI()
produced = 0
begun = threading.Event()
cancelled = threading.Event()


@app.get("/quick")
async def quick() -> Response:
    return PlainTextResponse("quick")


@app.get("/slow")
async def slow() -> Response:
    await asyncio.sleep(1.5)
    return PlainTextResponse("slow")


@app.get("/endless")
async def endless() -> Response:
    begun.set()
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        cancelled.set()
        raise
    return PlainTextResponse("endless")


@app.post("/body")
async def body(request: Request) -> Response:
    return PlainTextResponse(str(len(await request.body())))


@app.get("/stream")
async def stream() -> Response:
    async def pieces() -> AsyncIterator[bytes]:
        global produced  # noqa: PLW0603
        for _ in range(PIECES):
            produced += len(PIECE)
            yield PIECE

    return StreamingResponse(pieces())


@pytest.fixture(scope="module")
def served() -> Iterator[ServedApp]:
    with ServedApp(app) as served:
        yield served


def get(path: str, version: str = "1.1") -> bytes:
    return f"GET {path} HTTP/{version}\r\n".encode() + HOST + b"\r\n"


BODY = b"POST /body HTTP/1.1\r\n" + HOST + b"Content-Length: 4\r\n\r\nbody"


@pytest.mark.parametrize(
    ("content", "texts"),
    [
        (get("/quick"), [b"quick"]),
        (get("/quick", "1.0"), [b"quick"]),
        (BODY, [b"4"]),
        (get("/quick") * 3, [b"quick"] * 3),
        (get("/slow") + get("/quick") + BODY, [b"slow", b"quick", b"4"]),
        (get("/quick") + BODY[:-1], [b"quick"]),
        (BODY[:-1], []),
    ],
    ids=["GET", "HTTP 1.0", "POST", "three", "slow ones", "one and a half", "half"],
)
def test_a_client_that_closed_its_side_gets_its_responses(
    served: ServedApp, content: bytes, texts: list[bytes]
) -> None:
    received = served.ask(content, half_close=True)
    assert re.findall(rb"\r\n\r\n(quick|slow|\d)", received) == texts
    finals = [status for status in re.findall(rb"HTTP/1.1 (\d+)", received) if status != b"100"]
    assert finals == [b"200"] * len(texts)


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_the_work_for_a_client_that_has_gone_is_cancelled(served: ServedApp, version: str) -> None:
    begun.clear()
    cancelled.clear()
    with served.connect() as client:
        client.sendall(get("/endless", version))
        assert begun.wait(10)
    assert cancelled.wait(10)


def test_a_response_that_is_not_read_is_not_produced_ahead(served: ServedApp) -> None:
    with served.connect() as client:
        client.sendall(get("/stream"))
        client.recv(1_000)
        before = -1
        while produced != before:
            before = produced
            time.sleep(0.3)
        # What the system's buffers take, and no more.
        assert produced < len(PIECE) * PIECES / 4
        received = 0
        while received < len(PIECE) * PIECES:
            received += len(client.recv(1_000_000))
