"""The HTTP server: uvicorn's, which sees its clients off before it ends."""

import asyncio
import socket
import time

import uvicorn
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess, multiprocess

DRAIN_SECONDS = 2.0


class DrainingServer(uvicorn.Server):
    """A server that, told to end, first says so: `/health/ready` turns to 503 and each answer
    carries `Connection: close`, while everything is still served. What closes connections later
    then finds few that a client could be sending on.

    Draining ends when all clients are gone, at the latest after DRAIN_SECONDS. Requests in flight
    have the rest of the grace period (`timeout_graceful_shutdown`).
    """

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        grace = self.config.timeout_graceful_shutdown or DRAIN_SECONDS
        began = time.monotonic()
        self.lifespan.state["draining"] = True
        self.server_state.default_headers.append((b"connection", b"close"))
        drained = began + min(DRAIN_SECONDS, grace / 2)
        # uvicorn says nothing when a connection ends; it looks again and again too.
        while self.server_state.connections and time.monotonic() < drained and not self.force_exit:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        # Whoever waits takes it for a number of seconds, of which there are parts.
        remaining = grace - (time.monotonic() - began)
        self.config.timeout_graceful_shutdown = remaining  # type: ignore[assignment]
        await super().shutdown(sockets)


class DrainingWorker(multiprocess.Process):
    """One of several processes that serve."""

    @property
    def server(self) -> uvicorn.Server:
        if self._server is None:
            self._server = DrainingServer(self.config)
        return self._server


def run(config: uvicorn.Config) -> int:
    """Serve until a signal ends it; return the exit status."""
    if config.workers > 1:
        # The supervisor knows its workers' class by this name only.
        multiprocess.Process = DrainingWorker  # type: ignore[misc]
        supervisor = Multiprocess(config, sockets=[config.bind_socket()])
        supervisor.run()
        failed = any(each.exitcode == STARTUP_FAILURE for each in supervisor.processes)
        return STARTUP_FAILURE if failed else 0
    server = DrainingServer(config)
    try:
        server.run()
    except KeyboardInterrupt:
        return 0
    return 0 if server.started else STARTUP_FAILURE
