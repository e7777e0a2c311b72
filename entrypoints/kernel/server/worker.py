"""A worker process, which `entrypoints.kernel.server.supervisor` starts as
`python -m entrypoints worker LINE LISTENER...`.

The arguments are file descriptors: the connection to the supervisor, and the listening sockets, one
for each address.
"""

import asyncio
import os
import signal
import socket
import sys
from contextlib import suppress
from types import FrameType

from uvicorn.config import STARTUP_FAILURE

from entrypoints.kernel.server.config import ServerConfig
from entrypoints.kernel.server.server import DrainingServer

HEARTBEAT = b"."
ENDS = b"e"
"""What a worker sends to its supervisor: a heartbeat every second, and the start of its
shutdown."""
TICKS_A_SECOND = 10


class WorkerServer(DrainingServer):
    """A server that sends heartbeats, and shuts down when its supervisor has ended."""

    def __init__(self, config: ServerConfig, line: socket.socket) -> None:
        super().__init__(config)
        self._line = line

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        # The supervisor sends nothing: the socket becomes readable when its other end is closed.
        asyncio.get_running_loop().add_reader(self._line, self._end)
        await super().startup(sockets)

    async def on_tick(self, counter: int) -> bool:
        if counter % TICKS_A_SECOND == 0:
            self._send(HEARTBEAT)
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._send(ENDS)
        await super().shutdown(sockets)

    def _send(self, message: bytes) -> None:
        with suppress(OSError):  # the supervisor has ended or does not read
            self._line.send(message)

    def _end(self) -> None:
        asyncio.get_running_loop().remove_reader(self._line)
        self.should_exit = True


def _exit(number: int, _frame: FrameType | None) -> None:
    signal.signal(number, signal.SIG_IGN)  # a second one must not interrupt the exit
    sys.exit(0)


def run_worker(config: ServerConfig, line_fd: int, *listener_fds: int) -> int:
    """Serve until a signal or the supervisor ends it; return the exit status."""
    line, *listeners = (socket.socket(fileno=each) for each in (line_fd, *listener_fds))
    for each in (line, *listeners):
        os.set_inheritable(each.fileno(), False)
    line.setblocking(False)
    # The server shuts down on this signal and then raises it again, which is no failure.
    signal.signal(signal.SIGTERM, _exit)
    server = WorkerServer(config, line)
    server.run(listeners)
    return 0 if server.started else STARTUP_FAILURE
