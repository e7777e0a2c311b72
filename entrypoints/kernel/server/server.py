"""The HTTP server: uvicorn's, with a graceful shutdown that drains connections."""

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
"""How long the storage may take to close in a forced shutdown."""


class DrainingServer(uvicorn.Server):
    """A server with a graceful shutdown.

    First it drains: all requests are still served, but `/health/ready` returns 503 and each
    response has `Connection: close`. So when the connections are closed, hardly any client is just
    sending a request. Draining ends when all clients have disconnected, at the latest after
    `DRAIN_SECONDS`. Requests in progress have the rest of the grace period
    (`timeout_graceful_shutdown`).
    """

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        # Without sockets, uvicorn only starts the app's lifespan; `Listener` accepts connections.
        await super().startup(sockets=[])
        try:
            listening = sockets or bound_sockets(self.config.host, self.config.port)
            self._listener = Listener(listening, self._new_protocol, self.config.backlog)
        except OSError as error:
            logging.getLogger("uvicorn.error").error(error)
            await self.lifespan.shutdown()
            sys.exit(STARTUP_FAILURE)
        if not sockets:  # with workers, the supervisor has logged it
            self._log_started_message(listening)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        grace = self.config.timeout_graceful_shutdown or DRAIN_SECONDS
        began = time.monotonic()
        self.lifespan.state["draining"] = True
        self.server_state.default_headers.append((b"connection", b"close"))
        await self._until_all_have_disconnected(began + min(DRAIN_SECONDS, grace / 2))
        # Clients that are connected by now are served, even if they have sent nothing yet.
        await self._listener.close()
        await self._until_all_have_disconnected(
            time.monotonic() + min(LAST_ONES_SECONDS, grace / 4)
        )
        # uvicorn declares an int, but a float works.
        remaining = grace - (time.monotonic() - began)
        self.config.timeout_graceful_shutdown = remaining  # type: ignore[assignment]
        await super().shutdown(sockets)
        if self.force_exit:
            # Otherwise uvicorn would cancel the app's lifespan, with a traceback in the log.
            with suppress(TimeoutError):
                await asyncio.wait_for(self.lifespan.shutdown(), FORCED_SECONDS)

    async def _until_all_have_disconnected(self, deadline: float) -> None:
        # uvicorn has no event for the end of a connection, and polls too.
        while (  # noqa: ASYNC110
            self.server_state.connections and time.monotonic() < deadline and not self.force_exit
        ):
            await asyncio.sleep(0.02)

    def _new_protocol(self) -> HttpProtocol:
        return HttpProtocol(
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )


class SingleServer(DrainingServer):
    """The server of a single process: a second signal ends it at once.

    A worker ignores a second signal: a signal to the whole process group reaches it twice, the
    second time from its supervisor.
    """

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        # uvicorn itself forces the exit only at a second SIGINT.
        super().handle_exit(signal.SIGINT if self.should_exit else sig, frame)


def run(config: ServerConfig) -> int:
    """Serve in this process until a signal ends it; return the exit status."""
    server = SingleServer(config)
    server.run()
    return 0 if server.started else STARTUP_FAILURE
