"""Several workers: any signal at any moment ends them in order, and what fails is started again.

Without the blocked SIGINT of `Worker`, workers that are importing print tracebacks. Without the
pauses of `Supervisor`, a worker that cannot start is started again and again. Without the line of
`WorkerServer`, workers stay behind and keep the port.
"""

import asyncio
import os
import random
import shutil
import signal
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx
import pytest

from tests.kernel.faults.running import client_of
from tests.kernel.faults.service_log import assert_no_traceback, events_of
from tests.kernel.processes.process_tree import descendants, is_running
from tests.kernel.processes.service_process import ServiceProcess

STARTED = "Application startup complete."
# Ended before it served: by Python itself, or by the first lines of the service.
BEFORE_ALL = {status for each in (signal.SIGTERM, signal.SIGINT) for status in (-each, 128 + each)}
MANY = pytest.mark.slow


def two_workers(**settings: str) -> dict[str, str]:
    return {"APP_WORKERS": "2", "APP_SHUTDOWN_GRACE_SECONDS": "2", **settings}


@asynccontextmanager
async def serving(**settings: str) -> AsyncIterator[ServiceProcess]:
    """Start two workers, and wait until both serve."""
    async with ServiceProcess(two_workers(**settings)) as service:
        await until(lambda: len(events_of(service, STARTED)) == 2)
        yield service


async def until(condition: object, seconds: float = 60.0) -> None:
    assert callable(condition)
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


def workers_of(service: ServiceProcess) -> list[int]:
    return [pid for pid in descendants(service.pid) if is_running(pid)]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("moment", [0.3, *(pytest.param(each, marks=MANY) for each in range(3))])
async def test_a_signal_at_any_moment_ends_it_in_order(
    number: signal.Signals, workers: str, moment: float
) -> None:
    service = ServiceProcess(two_workers(APP_WORKERS=workers))
    service.launch()
    try:
        await asyncio.sleep(moment if moment == 0.3 else random.uniform(0, 3))
        os.killpg(service.pid, number)  # as a terminal and a service manager do
        code = await service.wait()
        assert code == 0 or (code in BEFORE_ALL and not events_of(service, STARTED))
        if code != -signal.SIGINT:  # of Python itself, before its first line of ours
            assert_no_traceback(service)
        assert not workers_of(service)
    finally:
        await service.close()


async def test_workers_end_with_a_supervisor_that_was_killed() -> None:
    async with serving() as service:
        workers = workers_of(service)
        os.kill(service.pid, signal.SIGKILL)
        await until(lambda: not any(map(is_running, workers)))
        with socket.socket() as again:
            again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            again.bind((service.host, service.port))


async def test_a_worker_that_cannot_start_is_tried_after_growing_pauses(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.write_text(f"client read {'0' * 64}\n")
    async with serving(APP_API_KEYS=str(keys)) as service, client_of(service) as client:
        keys.write_text("this is no key")
        os.kill(workers_of(service)[0], signal.SIGKILL)
        await until(lambda: len(events_of(service, "a worker ended")) >= 3)
        pauses = [line["restart_in_seconds"] for line in events_of(service, "a worker ended")]
        assert pauses == sorted(set(pauses))
        assert (await client.get("/health/live")).status_code == 200

        keys.write_text(f"client read {'1' * 64}\n")
        await until(lambda: len(events_of(service, STARTED)) == 3)
        service.terminate()
        assert await service.wait() == 0


async def test_a_signal_is_heeded_while_a_worker_cannot_start(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.write_text(f"client read {'0' * 64}\n")
    async with serving(APP_API_KEYS=str(keys)) as service:
        keys.write_text("this is no key")
        os.kill(workers_of(service)[0], signal.SIGKILL)
        await until(lambda: events_of(service, "a worker ended"))
        began = time.monotonic()
        service.terminate()
        assert await service.wait() == 0
        # The grace period, and room for a busy machine: far from the 30 s that it once took.
        assert time.monotonic() - began < 15


@pytest.mark.slow
async def test_a_worker_that_hangs_is_replaced() -> None:
    program = (
        "from entrypoints.kernel.server import supervisor; supervisor.SILENCE_SECONDS = 4;"
        "from entrypoints.__main__ import main; main([])"
    )
    async with ServiceProcess(two_workers(), arguments=["-c", program]) as service:
        await until(lambda: len(events_of(service, STARTED)) == 2)
        await asyncio.sleep(5)  # both are heard of, and neither is killed while it ticks
        assert not events_of(service, "a worker hangs and is killed")
        os.kill(workers_of(service)[0], signal.SIGSTOP)
        await until(lambda: len(events_of(service, STARTED)) == 3)
        assert events_of(service, "a worker hangs and is killed")


@pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("unshare") is None,
    reason="only root, with unshare, makes a process the first of a namespace",
)
@pytest.mark.parametrize("workers", ["1", "2"])
async def test_as_process_number_1_it_heeds_sigterm_while_it_imports(workers: str) -> None:
    """The first process of a container has no default action for a signal: one without a handler
    is lost (pid_namespaces(7))."""
    unshare = [shutil.which("unshare") or "", "--pid", "--fork", "--kill-child"]
    service = ServiceProcess(two_workers(APP_WORKERS=workers), prefix=unshare)
    service.launch()
    try:
        await until(lambda: descendants(service.pid))
        (first, *_) = descendants(service.pid)
        # Its handler stands before anything large is imported.
        await until(lambda: "libssl" in maps(first) or "pydantic_core" in maps(first))
        os.kill(first, signal.SIGTERM)
        assert await service.wait() in {0, 128 + signal.SIGTERM}
        assert_no_traceback(service)
    finally:
        service.kill()  # `unshare` itself takes no other signal
        await service.close()


def maps(pid: int) -> str:
    """Return what is loaded into the process."""
    return Path(f"/proc/{pid}/maps").read_text()


async def test_clients_are_served_while_workers_come_and_go() -> None:
    async with serving() as service:
        end = time.monotonic() + 3
        statuses: set[int] = set()
        killed = False
        while time.monotonic() < end:
            with suppress(httpx.TransportError):  # it was connected to the one that was killed
                async with client_of(service) as client:
                    statuses.add((await client.get("/health/live")).status_code)
            if not killed:
                os.kill(workers_of(service)[0], signal.SIGKILL)
                killed = True
        assert statuses == {200}


BOTH_FAMILIES = """
import socket
find = socket.getaddrinfo
socket.getaddrinfo = lambda host, *a, **k: find("127.0.0.1", *a, **k) + find("::1", *a, **k)
from entrypoints.__main__ import main
main([])
"""


async def test_workers_serve_each_address_of_the_host() -> None:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        pytest.skip("this machine has no IPv6")
    service = ServiceProcess(two_workers(APP_HOST="localhost"), arguments=["-c", BOTH_FAMILIES])
    async with service:
        for host in ("127.0.0.1", "::1"):
            reader, writer = await asyncio.open_connection(host, service.port)
            writer.write(b"GET /health/live HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n")
            assert b" 200 " in await reader.read(-1)
            writer.close()
