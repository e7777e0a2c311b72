"""Listening sockets that accept all waiting connections, not one per iteration of the event loop.

uvloop's own server accepts one connection per iteration. Under load an iteration takes long, and
new clients, health checks among them, would wait for as many iterations as there are clients
before them. asyncio's server accepts several, but without the limits that are needed here.
"""

import asyncio
import errno
import socket
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from typing import Any

import structlog

ACCEPTS_PER_ITERATION = 64
"""How many connections a listening socket accepts before the event loop goes on."""
PAUSE_SECONDS = 0.1
"""How long accepting pauses if the process or the system has no resources for a connection."""
LOG_SECONDS = 60.0
"""The least time between two log lines about missing resources."""
# accept(2) lists them.
_NO_RESOURCES = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
_NO_SUCH_ADDRESS = {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}

_log = structlog.get_logger("entrypoints.http")


class Listener:
    """Accepts connections on bound sockets and creates a protocol for each."""

    def __init__(
        self,
        sockets: Iterable[socket.socket],
        new_protocol: Callable[[], asyncio.Protocol],
        backlog: int,
    ) -> None:
        """Start listening, on the running event loop."""
        self._loop = asyncio.get_running_loop()
        self._new_protocol = new_protocol
        self._sockets = list(sockets)
        self._backlog = backlog
        # The event loop keeps only weak references to tasks.
        self._connecting: set[asyncio.Task[None]] = set()
        self._paused: asyncio.TimerHandle | None = None
        self._logged_at = -LOG_SECONDS
        for each in self._sockets:
            each.setblocking(False)
            each.listen(backlog)
        self._resume()

    async def close(self) -> None:
        """Stop listening, after every connection in the kernel's backlog has been accepted: closing
        the socket before would reset them."""
        if self._paused:
            self._paused.cancel()
        for each in self._sockets:
            self._loop.remove_reader(each)
            self._accept(each, self._backlog)
            each.close()
        while self._connecting:
            await asyncio.wait(self._connecting)

    def _resume(self) -> None:
        self._paused = None
        for each in self._sockets:
            self._loop.add_reader(each, self._accept, each, ACCEPTS_PER_ITERATION)

    def _accept(self, listener: socket.socket, limit: int) -> None:
        for _ in range(limit):
            try:
                connection, _address = listener.accept()
            except BlockingIOError:
                return  # no connection is waiting
            except OSError as error:
                if error.errno in _NO_RESOURCES:
                    self._pause(error)
                    return
                # The connection was lost before it was accepted: accept(2), "Error handling".
                continue
            task = self._loop.create_task(self._connect(connection))
            self._connecting.add(task)
            task.add_done_callback(self._connecting.discard)

    async def _connect(self, connection: socket.socket) -> None:
        try:
            await self._loop.connect_accepted_socket(self._new_protocol, connection)
        except OSError:  # the client has disconnected
            connection.close()

    def _pause(self, error: OSError) -> None:
        """Pause accepting: the sockets stay readable, and the event loop would spin."""
        for each in self._sockets:
            self._loop.remove_reader(each)
        if self._paused is None:
            self._paused = self._loop.call_later(PAUSE_SECONDS, self._resume)
        if time.monotonic() - self._logged_at >= LOG_SECONDS:
            self._logged_at = time.monotonic()
            _log.error("new connections are not accepted for now", reason=error.strerror)


def bound_sockets(host: str, port: int) -> list[socket.socket]:
    """Return a socket for each address of the host, bound to the port; port 0 means any free one.

    Raises `OSError` if one of the addresses is in use, or none exists on this machine.
    """
    found: list[Any] = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )
    missing: OSError | None = None
    sockets: list[socket.socket] = []
    with ExitStack() as if_it_fails:
        for family, kind, protocol, _, address in dict.fromkeys(found):
            try:
                sockets.append(_bound(family, kind, protocol, address))
            except OSError as error:
                # "localhost" can have an address of a family that is disabled.
                if error.errno not in _NO_SUCH_ADDRESS:
                    raise
                missing = error
            else:
                if_it_fails.callback(sockets[-1].close)
        if_it_fails.pop_all()
    if not sockets:
        raise missing or OSError(f"{host} has no address")
    return sockets


def _bound(family: int, kind: int, protocol: int, address: Any) -> socket.socket:
    with ExitStack() as if_it_fails:
        new = if_it_fails.enter_context(socket.socket(family, kind, protocol))
        new.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:  # IPv4 gets its own socket
            new.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        new.bind(address)
        if_it_fails.pop_all()
    return new
