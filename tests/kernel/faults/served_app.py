"""Any app behind the service's own server, for what its own routes do not do."""

import asyncio
import socket
import threading
import time
from typing import Any, Self

from entrypoints.kernel.server.config import ServerConfig
from entrypoints.kernel.server.server import DrainingServer
from tests.kernel.integration.service import settings_for
from tests.kernel.processes.free_port import free_port

PATIENCE_IN_SECONDS = 30.0


class ServedApp:
    """`with ServedApp(app) as served: with served.connect() as client: client.sendall(...)`

    The server runs in a thread of this process, on the event loop that the service has.
    """

    host = "127.0.0.1"

    def __init__(self, app: Any, *, read_seconds: float | None = None, **settings: Any) -> None:
        self.port = free_port()
        config = ServerConfig(
            settings_for("memory://", port=self.port, **settings), create_app=lambda: app
        )
        if read_seconds is not None:
            config.read_seconds = read_seconds
        self.server = DrainingServer(config)
        self._thread = threading.Thread(target=self.server.run, daemon=True)

    def connect(self) -> socket.socket:
        return socket.create_connection((self.host, self.port), PATIENCE_IN_SECONDS)

    def ask(self, content: bytes, *, half_close: bool = False) -> bytes:
        """Send the bytes on a connection of their own, and return all that comes until it ends."""
        with self.connect() as client:
            client.sendall(content)
            if half_close:
                client.shutdown(socket.SHUT_WR)
            return read_to_end(client)

    def __enter__(self) -> Self:
        self._thread.start()
        deadline = time.monotonic() + PATIENCE_IN_SECONDS
        while not self.server.started:
            assert self._thread.is_alive(), "the server did not start"
            assert time.monotonic() < deadline, "the server did not start in time"
            time.sleep(0.005)
        while True:  # it listens in the moment after
            try:
                self.connect().close()
                break
            except ConnectionRefusedError:
                assert time.monotonic() < deadline
                time.sleep(0.005)
        return self

    def __exit__(self, *_: object) -> None:
        self.server.should_exit = True
        self._thread.join(PATIENCE_IN_SECONDS)
        assert not self._thread.is_alive(), "the server did not end"

    async def __aenter__(self) -> Self:
        return await asyncio.to_thread(self.__enter__)

    async def __aexit__(self, *_: object) -> None:
        await asyncio.to_thread(self.__exit__)


def read_to_end(client: socket.socket) -> bytes:
    received = b""
    while piece := client.recv(1_000_000):
        received += piece
    return received
