import asyncio
import socket
import struct
from contextlib import suppress

CHUNK = 65_536
# Closing a socket that must not linger sends a reset in place of an orderly end.
NO_LINGER = struct.pack("ii", 1, 0)


class ProxyLink:
    """One client's connection through the proxy: its two sockets."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.has_client = True
        self.is_forgotten = False
        self._client = (reader, writer)
        self._server: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def connect(self, host: str, port: int) -> None:
        self._server = await asyncio.open_connection(host, port)

    async def from_client(self) -> bytes:
        chunk = b""
        try:
            chunk = await self._client[0].read(CHUNK)
        finally:
            self.has_client = bool(chunk)
        return chunk

    async def from_server(self) -> bytes:
        return await self._connected()[0].read(CHUNK)

    async def to_client(self, chunk: bytes) -> None:
        await _send(self._client[1], chunk)

    async def to_server(self, chunk: bytes) -> None:
        await _send(self._connected()[1], chunk)

    def reset(self) -> None:
        """Reset both sides at once; what they have not read yet is lost."""
        self.has_client = False
        for writer in self._writers():
            with suppress(OSError):  # closed already
                connection: socket.socket = writer.get_extra_info("socket")
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
            writer.transport.abort()

    def close(self) -> None:
        self.has_client = False
        for writer in self._writers():
            writer.close()

    def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._server is None:
            message = "not connected to the server yet"
            raise RuntimeError(message)
        return self._server

    def _writers(self) -> list[asyncio.StreamWriter]:
        return [side[1] for side in (self._client, self._server) if side]


async def _send(writer: asyncio.StreamWriter, chunk: bytes) -> None:
    """Send a chunk; the empty one, as when reading, is the end."""
    if chunk:
        writer.write(chunk)
        await writer.drain()
    else:
        writer.write_eof()
