"""The configuration of the server."""

import sys
from collections.abc import Callable

import uvicorn
from starlette.types import ASGIApp

from entrypoints.kernel.server.start_queue import StartQueue
from entrypoints.kernel.service_settings import ServiceSettings

READ_SECONDS = 4.0
"""The read timeout: how long the head of a request may take to arrive."""


class ServerConfig(uvicorn.Config):
    """uvicorn's configuration, and that of `HttpProtocol`."""

    def __init__(
        self,
        settings: ServiceSettings,
        create_app: Callable[[], ASGIApp],
        program: str = "entrypoints",
    ) -> None:
        """`program` is the module that `python -m` runs, for a worker too."""
        super().__init__(
            create_app,
            factory=True,
            host=settings.host,
            port=settings.port,
            workers=settings.workers,
            # `Listener` needs a loop that can wait for a socket to become readable.
            loop="uvloop" if sys.platform != "win32" else "asyncio:SelectorEventLoop",
            # `DrainingServer` gives each connection an `HttpProtocol`, which extends this one.
            http="httptools",
            timeout_keep_alive=settings.keep_alive_seconds,
            timeout_graceful_shutdown=settings.shutdown_grace_seconds,
            # `RequestContext` logs each request, and logging is already configured.
            access_log=False,
            log_config=None,
            server_header=False,
            # The client's address and scheme are not used.
            proxy_headers=False,
        )
        self.max_body_bytes = settings.max_body_bytes
        # Not uvicorn's `root_path`, which is wrong behind a proxy that passes the prefix on.
        self.path_prefix = settings.root_path
        self.read_seconds = READ_SECONDS
        self.program = program
        self.start_queue = StartQueue()
