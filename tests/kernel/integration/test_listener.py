"""The listening socket accepts all waiting clients, and recovers when it can accept no more.

Without the loop in `Listener._accept`, one client is accepted in each turn of the event loop.
Without `Listener._pause`, the loop spins, with a log line in each turn. Without the last accept in
`Listener.close`, connections in the kernel's backlog are reset.
"""

import asyncio
import os
import resource
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, closing, contextmanager, suppress
from pathlib import Path
from time import process_time
from typing import cast

import pytest
import uvloop
from structlog.testing import capture_logs

from entrypoints.kernel.server.listener import ACCEPTS_PER_ITERATION, Listener, bound_sockets
from tests.kernel.processes.free_port import free_port

CLIENTS = ACCEPTS_PER_ITERATION
LOOPS = pytest.mark.parametrize(
    "new_loop", [uvloop.new_event_loop, asyncio.SelectorEventLoop], ids=["uvloop", "asyncio"]
)


class Served(asyncio.Protocol):
    """Greets its client, and stays until the client goes."""

    made = 0
    lost = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        Served.made += 1
        cast(asyncio.WriteTransport, transport).write(b"hello")

    def connection_lost(self, exc: Exception | None) -> None:
        Served.lost += 1


@pytest.fixture(autouse=True)
def _none_is_served_yet() -> None:
    Served.made = Served.lost = 0


@asynccontextmanager
async def connected(address: object, number: int) -> AsyncIterator[None]:
    """Connect clients, of which the event loop does not know yet; see that each is greeted."""
    with ExitStack() as opened:
        clients = [
            opened.enter_context(socket.create_connection(address, 10))  # type: ignore[arg-type]
            for _ in range(number)
        ]
        yield
        async with asyncio.timeout(20):
            while Served.made < number:
                await asyncio.sleep(0.001)
        assert all(client.recv(10) == b"hello" for client in clients)
    async with asyncio.timeout(20):
        while Served.lost < number:
            await asyncio.sleep(0.001)


@LOOPS
def test_all_waiting_clients_are_accepted_in_one_iteration(
    new_loop: type[asyncio.SelectorEventLoop],
) -> None:
    async def accept_and_count() -> int:
        (bound,) = bound_sockets("127.0.0.1", 0)
        listener = Listener([bound], Served, backlog=CLIENTS)
        turns = 0
        async with connected(bound.getsockname(), CLIENTS):
            while Served.made < CLIENTS:
                await asyncio.sleep(0)  # what else the service is busy with
                turns += 1
        await listener.close()
        return turns

    with asyncio.Runner(loop_factory=new_loop) as runner:
        # To look for readable sockets, to accept and to start the protocols takes a few.
        assert runner.run(accept_and_count()) < 10


@LOOPS
def test_clients_connected_at_the_end_are_served(new_loop: type[asyncio.SelectorEventLoop]) -> None:
    async def close_at_once() -> None:
        (bound,) = bound_sockets("127.0.0.1", 0)
        address = bound.getsockname()
        listener = Listener([bound], Served, backlog=2 * CLIENTS)
        async with connected(address, 2 * CLIENTS):
            await listener.close()
            assert Served.made == 2 * CLIENTS
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(address)

    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(close_at_once())


@LOOPS
def test_without_file_descriptors_clients_wait_until_there_are_some(
    new_loop: type[asyncio.SelectorEventLoop],
) -> None:
    async def run_out_and_recover() -> None:
        (bound,) = bound_sockets("127.0.0.1", 0)
        listener = Listener([bound], Served, backlog=CLIENTS)
        with capture_logs() as log:
            async with connected(bound.getsockname(), 3):
                with no_file_descriptors():
                    before = process_time()
                    await asyncio.sleep(0.5)
                    assert process_time() - before < 0.25
                    assert Served.made == 0
        assert [(line["log_level"], line["reason"]) for line in log] == [
            ("error", "Too many open files")
        ]
        await listener.close()

    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(run_out_and_recover())


@contextmanager
def no_file_descriptors() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    taken: list[int] = []
    with Path(os.devnull).open() as file:
        resource.setrlimit(resource.RLIMIT_NOFILE, (file.fileno() + 10, hard))
        try:
            with suppress(OSError):
                while True:
                    taken.append(os.dup(file.fileno()))
            yield
        finally:
            for each in taken:
                os.close(each)
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_host_is_bound_at_each_of_its_addresses() -> None:
    port = free_port()
    sockets = bound_sockets("localhost", port)
    found = socket.getaddrinfo("localhost", port, type=socket.SOCK_STREAM)
    bound = {each.getsockname()[:2] for each in sockets}
    for each in sockets:
        each.close()
    assert bound
    assert bound <= {address[:2] for *_, address in found}


def test_a_port_in_use_is_not_shared() -> None:
    (first,) = bound_sockets("127.0.0.1", 0)
    with closing(first):
        first.listen()
        with pytest.raises(OSError, match="in use"):
            bound_sockets("127.0.0.1", first.getsockname()[1])
