"""What comes after a request's head does not pass for anything else.

Without the separate list for trailers, a client can add header fields that a proxy does not see.
Without the limit on the framing of a body, a client can fill the memory. Without
`HttpProtocol._ignore_upgrade`, a client loses its body.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
import pytest_asyncio

from tests.kernel.faults.malformed_requests import BODY, CLOSE, HOST, JSON
from tests.kernel.faults.raw_http import send_bytes
from tests.kernel.faults.running import service_on
from tests.kernel.integration.service import PRODUCTS
from tests.kernel.processes.service_process import ServiceProcess

pytestmark = pytest.mark.asyncio(loop_scope="module")

CHUNKED = b"Transfer-Encoding: chunked\r\n"
CHUNK = b"%x\r\n%b\r\n" % (len(BODY), BODY)
UPGRADE = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"
LENGTH = b"Content-Length: %d\r\n"
LIVE = b"GET /health/live HTTP/1.1\r\n" + HOST
POST = f"POST {PRODUCTS}/ HTTP/1.1\r\n".encode() + HOST + JSON


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def service() -> AsyncIterator[ServiceProcess]:
    async with service_on("memory://") as service:
        yield service


async def test_a_trailer_is_no_header_field(service: ServiceProcess) -> None:
    post = POST.removesuffix(JSON)
    trailer = JSON + b"X-Request-ID: from-a-trailer\r\n"
    content = post + CHUNKED + CLOSE + b"\r\n" + CHUNK + b"0\r\n" + trailer + b"\r\n"
    (response,) = await send_bytes(service, content)
    assert response.status == 415
    assert response.headers["x-request-id"] != "from-a-trailer"


async def test_a_body_with_a_trailer_is_read(service: ServiceProcess) -> None:
    content = POST + CHUNKED + CLOSE + b"\r\n" + CHUNK + b"0\r\nChecksum: 1\r\n\r\n"
    (response,) = await send_bytes(service, content)
    assert response.status == 201


async def test_a_body_in_chunks_of_one_byte_is_read(service: ServiceProcess) -> None:
    padded = BODY.ljust(60_000)
    chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in padded) + b"0\r\n\r\n"
    (response,) = await send_bytes(service, POST + CHUNKED + CLOSE + b"\r\n" + chunks)
    assert response.status == 201


@pytest.mark.parametrize(
    "piece",
    [
        pytest.param(b"a: " + b"b" * 1_000 + b"\r\n", id="trailers"),
        pytest.param(b"b" * 1_000, id="one trailer"),
    ],
)
async def test_endless_trailers_are_cut_off(service: ServiceProcess, piece: bytes) -> None:
    before = service.memory_bytes()
    reader, writer = await asyncio.open_connection(service.host, service.port)
    writer.write(POST + CHUNKED + b"\r\n" + CHUNK + b"0\r\nfirst: ")
    received = b""
    with suppress(ConnectionError):
        async with asyncio.timeout(20):
            while not received:
                writer.write(piece * 60)
                await writer.drain()
                with suppress(TimeoutError):
                    received = await asyncio.wait_for(reader.read(100), 0.001)
    writer.close()

    assert received.startswith(b"HTTP/1.1 413")
    assert service.memory_bytes() - before < 20_000_000


async def test_an_upgrade_request_gets_an_http_1_1_response(
    service: ServiceProcess,
) -> None:
    upgraded = LIVE + UPGRADE + b"\r\n"
    responses = await send_bytes(service, upgraded * 2 + LIVE + CLOSE + b"\r\n")
    assert [response.status for response in responses] == [200, 200, 200]


async def test_the_body_of_an_upgrade_request_is_read(service: ServiceProcess) -> None:
    content = POST + UPGRADE + LENGTH % len(BODY) + b"\r\n" + BODY + LIVE + CLOSE + b"\r\n"
    responses = await send_bytes(service, content)
    assert [response.status for response in responses] == [201, 200]
