"""Under overload requests start in the order of arrival, and none of a client that has given up.

Without the limit of `StartQueue.may_start`, all start in one turn of the event loop; without the
check in `HttpProtocol._start_if_connected`, the app works for clients that have gone.
"""

import asyncio
import itertools
import socket
import threading
from contextlib import ExitStack
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from entrypoints.kernel.server import start_queue
from entrypoints.kernel.server.config import ServerConfig
from entrypoints.kernel.server.http_protocol import HttpProtocol
from entrypoints.kernel.server.start_queue import STARTS_PER_TURN
from tests.kernel.faults.served_app import ServedApp, read_to_end
from tests.kernel.integration.service import settings_for
from tests.kernel.integration.test_pipelined_requests import Wire, until_still

WAITING = 100


class Recorder:
    """An app that records which requests reach it; `/block` holds the event loop up."""

    def __init__(self) -> None:
        self.started: list[str] = []
        self.is_blocked = threading.Event()
        self.released = threading.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/block":
            self.is_blocked.set()
            assert self.released.wait(60)
        else:
            self.started.append(scope["path"])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n".encode()


def config_of(app: Any) -> ServerConfig:
    return ServerConfig(settings_for("memory://"), lambda: app)


def arrive(config: ServerConfig, path: str) -> tuple[HttpProtocol, Wire]:
    protocol, wire = HttpProtocol(config, ServerState(), app_state={}), Wire()
    protocol.connection_made(wire)
    protocol.data_received(get(path))
    return protocol, wire


async def test_a_few_start_in_each_turn_in_the_order_of_arrival() -> None:
    app = Recorder()
    config = config_of(app)
    paths = [f"/{number}" for number in range(3 * STARTS_PER_TURN)]
    clients = [arrive(config, path) for path in paths]
    counts = [0]
    while counts[-1] < len(paths):
        await asyncio.sleep(0)
        counts.append(len(app.started))
    steps = [after - before for before, after in itertools.pairwise(counts)]
    assert max(steps) == STARTS_PER_TURN
    assert app.started == paths
    for protocol, wire in clients:
        await until_still(wire)
        protocol.connection_lost(None)
    assert all(b"200 OK" in wire.sent for _, wire in clients)


async def test_health_checks_do_not_wait() -> None:
    app = Recorder()
    config = config_of(app)
    config.path_prefix = "/shop"
    clients = [arrive(config, f"/{number}") for number in range(3 * STARTS_PER_TURN)]
    clients += [arrive(config, path) for path in ("/health/live", "/shop/health/ready")]
    await asyncio.sleep(0)
    assert app.started[STARTS_PER_TURN:] == ["/health/live", "/shop/health/ready"]
    for protocol, _ in clients:
        protocol.connection_lost(None)


async def test_a_request_that_is_lost_while_it_waits_does_not_start() -> None:
    app = Recorder()
    config = config_of(app)
    clients = [arrive(config, f"/{number}") for number in range(2 * STARTS_PER_TURN)]
    for protocol, _ in clients[STARTS_PER_TURN:]:
        protocol.connection_lost(None)
    await until_still(clients[0][1])
    assert len(app.started) == STARTS_PER_TURN


def test_a_client_that_closed_while_it_waited_costs_no_work(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(start_queue, "STARTS_PER_TURN", 1)
    app = Recorder()
    with ServedApp(app) as served, ExitStack() as opened:
        opened.enter_context(served.connect()).sendall(get("/block"))
        assert app.is_blocked.wait(60)
        waiting = []
        for number in range(WAITING):
            waiting.append(opened.enter_context(served.connect()))
            waiting[-1].sendall(get(f"/waits/{number}"))
        # It has said only that it sends no more (RFC 9112, section 9.6).
        half_closed = opened.enter_context(served.connect())
        half_closed.sendall(get("/half-closed"))
        half_closed.shutdown(socket.SHUT_WR)
        for number in range(WAITING):
            with served.connect() as gone:
                gone.sendall(get(f"/gone/{number}"))
        app.released.set()
        assert b" 200 OK" in read_to_end(half_closed)
        assert all(b" 200 OK" in read_to_end(each) for each in waiting)
    assert sorted(app.started) == sorted(
        ["/half-closed", *(f"/waits/{number}" for number in range(WAITING))]
    )
