"""One of several processes that serve, which `entrypoints.kernel.server.supervisor` starts as
`python -m entrypoints worker LISTENER LINE`.

Both are file descriptors: the socket to serve, and the line to the supervisor.
"""

import asyncio
import os
import signal
import socket
import sys
from contextlib import suppress

from uvicorn.config import STARTUP_FAILURE

from entrypoints.kernel.server.config import ServerConfig
from entrypoints.kernel.server.server import DrainingServer

LIVES = b"."
ENDS = b"e"
"""What a worker says to its supervisor, once a second and when it begins to end."""
TICKS_A_SECOND = 10


class WorkerServer(DrainingServer):
    """A server that gives signs of life, and ends when its supervisor has gone."""

    def __init__(self, config: ServerConfig, line: socket.socket) -> None:
        super().__init__(config)
        self._line = line

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        # The supervisor says nothing: the line can be read once its other end is closed.
        asyncio.get_running_loop().add_reader(self._line, self._end)
        await super().startup(sockets)

    async def on_tick(self, counter: int) -> bool:
        if counter % TICKS_A_SECOND == 0:
            self._say(LIVES)
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._say(ENDS)
        await super().shutdown(sockets)

    def _say(self, sign: bytes) -> None:
        with suppress(OSError):  # the supervisor has gone, or does not listen
            self._line.send(sign)

    def _end(self) -> None:
        asyncio.get_running_loop().remove_reader(self._line)
        self.should_exit = True


def run_worker(config: ServerConfig, listener_fd: int, line_fd: int) -> int:
    """Serve until a signal or the supervisor ends it; return the exit status."""
    listener, line = socket.socket(fileno=listener_fd), socket.socket(fileno=line_fd)
    for each in (listener, line):
        os.set_inheritable(each.fileno(), False)
    line.setblocking(False)
    # The server ends itself on this signal and then raises it anew; that was no failure.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    server = WorkerServer(config, line)
    server.run([listener])
    return 0 if server.started else STARTUP_FAILURE
