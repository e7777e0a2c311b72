"""Whatever is sent gets a 4xx problem, and holds no connection.

Without `HttpProtocol`, uvicorn rejects these requests: in plain text, without a limit on the length
of an address or a header, and without a timeout.
"""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.kernel.faults.malformed_requests import (
    BODY,
    HOST,
    MALFORMED,
    POST,
    TOO_LARGE,
    raw,
    request,
)
from tests.kernel.faults.raw_http import send_bytes
from tests.kernel.faults.running import service_on
from tests.kernel.faults.service_log import assert_no_traceback
from tests.kernel.integration.service import PRODUCTS
from tests.kernel.processes.service_process import ServiceProcess

pytestmark = pytest.mark.asyncio(loop_scope="module")
ON_TIME = 3.0


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def service() -> AsyncIterator[ServiceProcess]:
    async with service_on("memory://") as service:
        yield service


@pytest.mark.parametrize("name", MALFORMED)
async def test_a_malformed_request_is_rejected(service: ServiceProcess, name: str) -> None:
    responses = await send_bytes(service, MALFORMED[name])

    assert len(responses) == 1, responses
    (response,) = responses
    assert 400 <= response.status < 500
    response.problem()
    assert response.headers["connection"] == "close"
    (good,) = await send_bytes(service, request())
    assert good.status == 200


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("a long address", 414),
        ("an address of a megabyte", 414),
        ("a long header", 431),
        ("many headers", 431),
        ("a larger body", 413),
        ("a body said to be large", 413),
        ("large chunks", 413),
    ],
)
async def test_a_request_that_is_too_large_gets_the_status_that_says_so(
    service: ServiceProcess, name: str, status: int
) -> None:
    (response,) = await send_bytes(service, TOO_LARGE[name])
    assert response.status == status


SLOW = {
    "nothing but a letter": b"G",
    "half a head": request()[:-2],
    "a body of which half comes": raw(POST + b"Content-Length: 16\r\n", BODY[:8]),
    "chunks without an end": raw(
        POST + b"Transfer-Encoding: chunked\r\n", b"10\r\n" + BODY + b"\r\n"
    ),
}


@pytest.mark.parametrize("name", SLOW)
async def test_a_request_that_does_not_arrive_is_cut_off(
    service: ServiceProcess, name: str
) -> None:
    (response,) = await send_bytes(service, SLOW[name])
    assert response.status == 408
    response.problem()


async def test_a_connection_that_says_nothing_is_closed(service: ServiceProcess) -> None:
    assert await send_bytes(service, b"") == []


async def test_a_drip_is_cut_off_however_steady(service: ServiceProcess) -> None:
    reader, writer = await asyncio.open_connection(service.host, service.port)
    began = time.monotonic()
    while not reader.at_eof() and time.monotonic() - began < 12:
        writer.write(b"A" if time.monotonic() - began > 0.2 else b"GET / HTTP/1.1\r\n" + HOST)
        try:
            async with asyncio.timeout(0.2):
                if (await reader.read(100)).startswith(b"HTTP/1.1 408"):
                    break
        except TimeoutError:
            pass
    else:
        pytest.fail("it was waited for")
    writer.close()


async def test_pipelined_requests_get_responses_in_order(service: ServiceProcess) -> None:
    live = b"GET /health/live HTTP/1.1\r\n" + HOST + b"\r\n"
    responses = await send_bytes(service, live * 3 + request(target=f"{PRODUCTS}?limit=0"))
    assert [response.status for response in responses] == [200, 200, 200, 422]


async def test_what_follows_a_good_request_does_not_spoil_its_response(
    service: ServiceProcess,
) -> None:
    live = b"GET /health/live HTTP/1.1\r\n" + HOST + b"\r\n"
    responses = await send_bytes(service, live + b"nonsense\r\n\r\n")
    assert responses[0].status == 200
    assert all(400 <= response.status < 500 for response in responses[1:])


async def test_a_rejection_leaves_one_line_in_the_log(service: ServiceProcess) -> None:
    (response,) = await send_bytes(service, TOO_LARGE["a long address"])
    request_id = response.headers["x-request-id"]
    lines = [line for line in service.log.splitlines() if request_id in line]
    assert len(lines) == 1
    assert_no_traceback(service)
