"""The HTTP server: uvicorn's, which sees its clients off before it ends."""

import asyncio
import logging
import signal
import socket
import sys
import time
from contextlib import suppress
from types import FrameType

import uvicorn
from uvicorn.config import STARTUP_FAILURE

from entrypoints.kernel.server.config import ServerConfig
from entrypoints.kernel.server.http_protocol import HttpProtocol
from entrypoints.kernel.server.listener import Listener, bound_sockets

DRAIN_SECONDS = 2.0
LAST_ONES_SECONDS = 0.5
FORCED_SECONDS = 1.0
"""How long the storage may take to close when everything else has to end at once."""


class DrainingServer(uvicorn.Server):
    """A server that, told to end, first says so: `/health/ready` turns to 503 and each response
    carries `Connection: close`, while everything is still served. What closes connections later
    then finds few that a client could be sending on.

    Draining ends when all clients are gone, at the latest after DRAIN_SECONDS. Requests in flight
    have the rest of the grace period (`timeout_graceful_shutdown`).
    """

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        # Without sockets, uvicorn starts the app's lifespan and accepts nothing by itself.
        await super().startup(sockets=[])
        try:
            listening = sockets or bound_sockets(self.config.host, self.config.port)
            self._listener = Listener(listening, self._new_protocol, self.config.backlog)
        except OSError as error:
            logging.getLogger("uvicorn.error").error(error)
            await self.lifespan.shutdown()
            sys.exit(STARTUP_FAILURE)
        if not sockets:  # the supervisor has logged it otherwise
            self._log_started_message(listening)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        grace = self.config.timeout_graceful_shutdown or DRAIN_SECONDS
        began = time.monotonic()
        self.lifespan.state["draining"] = True
        self.server_state.default_headers.append((b"connection", b"close"))
        await self._until_all_are_gone(began + min(DRAIN_SECONDS, grace / 2))
        # Who is connected by then is served, and may have sent nothing yet.
        await self._listener.close()
        await self._until_all_are_gone(time.monotonic() + min(LAST_ONES_SECONDS, grace / 4))
        # Whoever waits takes it for a number of seconds, of which there are parts.
        remaining = grace - (time.monotonic() - began)
        self.config.timeout_graceful_shutdown = remaining  # type: ignore[assignment]
        await super().shutdown(sockets)
        if self.force_exit:
            # uvicorn would cancel the app's lifespan as it stands, with a traceback in the log.
            with suppress(TimeoutError):
                await asyncio.wait_for(self.lifespan.shutdown(), FORCED_SECONDS)

    async def _until_all_are_gone(self, deadline: float) -> None:
        # uvicorn says nothing when a connection ends; it looks again and again too.
        while (  # noqa: ASYNC110
            self.server_state.connections and time.monotonic() < deadline and not self.force_exit
        ):
            await asyncio.sleep(0.02)

    def _new_protocol(self) -> HttpProtocol:
        return HttpProtocol(
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )


class SingleServer(DrainingServer):
    """The server without workers: a second signal ends it at once.

    A worker must not heed one. A signal to the whole group reaches it twice, the second time by
    way of its supervisor.
    """

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        # Of itself, uvicorn heeds a second SIGINT only.
        super().handle_exit(signal.SIGINT if self.should_exit else sig, frame)


def run(config: ServerConfig) -> int:
    """Serve in this process until a signal ends it; return the exit status."""
    server = SingleServer(config)
    server.run()
    return 0 if server.started else STARTUP_FAILURE
