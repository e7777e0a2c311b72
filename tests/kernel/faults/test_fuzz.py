"""Fuzzing: random requests, generated from the OpenAPI document and from random bytes.

Without the translation of the drivers' errors, the rule against NUL and lone surrogates, or the
responses of `HttpProtocol`, some of these requests get a 5xx or a response that is not in the
OpenAPI document.
"""

import asyncio
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.kernel.faults.malformed_requests import BODY, MALFORMED, POST, raw, request
from tests.kernel.faults.running import all_items, on_both_databases, service_on
from tests.kernel.faults.service_log import assert_no_traceback
from tests.kernel.processes.service_process import ServiceProcess

CONFIGURATION = Path(__file__).with_name("schemathesis.toml")


@on_both_databases
@pytest.mark.parametrize("cases", [8, pytest.param(60, marks=pytest.mark.slow)])
async def test_the_service_does_what_its_document_says(
    fault_url: str, cases: int, tmp_path: Path
) -> None:
    async with service_on(fault_url) as service:
        fuzzer = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "schemathesis.cli", f"--config-file={CONFIGURATION}"),
            *("run", f"{service.base_url}/openapi.json", "--checks=all", "--no-color"),
            *(f"--max-examples={cases}", "--seed=1", "--continue-on-failure"),
            cwd=tmp_path,
            env={**os.environ, "NO_PROXY": "*", "PYTHONUTF8": "1"},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await fuzzer.communicate()
        assert fuzzer.returncode == 0, output.decode()
        for phase in ("Examples", "Coverage", "Fuzzing", "Stateful"):
            assert f"✅ {phase}" in output.decode(), output.decode()
        assert_no_traceback(service)


@pytest.fixture(scope="module")
def service() -> Iterator[ServiceProcess]:
    runner = asyncio.Runner()
    service = service_on("memory://")
    runner.run(service.start())
    yield service
    runner.run(service.close())
    runner.close()


REQUESTS = [
    request(),
    raw(POST + b"Content-Length: 16\r\n", BODY),
    raw(POST + b"Transfer-Encoding: chunked\r\n", b"10\r\n" + BODY + b"\r\n0\r\n\r\n"),
    *(content for content in MALFORMED.values() if len(content) < 500),
]


@st.composite
def mutations(draw: st.DrawFn) -> bytes:
    """A request of which some bytes are replaced, left out, doubled or put in."""
    content = bytearray(draw(st.sampled_from(REQUESTS)))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(content)))
        end = min(len(content), start + draw(st.integers(0, 8)))
        piece = draw(
            st.one_of(
                st.binary(max_size=8),
                st.sampled_from([b"\r\n", b"\r\n\r\n", b"\x00", b":", b" ", b"0\r\n", b"%00"]),
                st.just(bytes(content[start:end]) * 2),
            )
        )
        content[start:end] = piece
    return bytes(content)


def check_that_none_is_a_failure(service: ServiceProcess, content: bytes) -> None:
    with socket.create_connection((service.host, service.port)) as connection:
        connection.settimeout(0.05)
        with suppress(TimeoutError, ConnectionError):
            connection.sendall(content)
            received = b""
            # What is not whole is waited for, and given up by us.
            while piece := connection.recv(65_536):
                received += piece
                assert b"HTTP/1.1 5" not in received, received


@settings(
    max_examples=300,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(content=mutations())
def test_bytes_by_chance_bring_about_no_failure(service: ServiceProcess, content: bytes) -> None:
    check_that_none_is_a_failure(service, content)


@pytest.mark.slow
@settings(max_examples=3_000, deadline=None, database=None)
@given(content=mutations())
def test_more_bytes_by_chance_bring_about_no_failure(
    service: ServiceProcess, content: bytes
) -> None:
    check_that_none_is_a_failure(service, content)


def test_no_connection_is_left(service: ServiceProcess) -> None:
    """It comes last: what the tests above left would be here."""
    with asyncio.Runner() as runner:
        runner.run(all_items(service))

        async def sockets() -> int:
            return sum(name.startswith("socket:") for name in service.open_files())

        before = runner.run(sockets())
        for content in REQUESTS:
            check_that_none_is_a_failure(service, content)

        async def until_they_are_gone() -> None:
            async with asyncio.timeout(10):
                while await sockets() > before:
                    await asyncio.sleep(0.05)

        runner.run(until_they_are_gone())
    assert_no_traceback(service)
