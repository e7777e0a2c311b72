"""Stands between a subject and PostgreSQL, and counts what the server responds."""

import asyncio
from collections import Counter
from threading import Event, Thread
from typing import Self

HOST = "127.0.0.1"
SSL_REQUEST = (80877103).to_bytes(4, "big")
READY_FOR_QUERY, COMMAND_COMPLETE, PORTAL_SUSPENDED = b"Z", b"C", b"s"


class CountingProxy:
    """`with CountingProxy(port_of_the_server) as proxy: ... proxy.port ... proxy.round_trips`"""

    port: int

    def __init__(self, server_port: int) -> None:
        self._server_port = server_port
        self._messages: Counter[bytes] = Counter()
        self._listening, self._ended = Event(), asyncio.Event()
        self._thread = Thread(target=lambda: asyncio.run(self._serve()), daemon=True)
        self._loop: asyncio.AbstractEventLoop

    @property
    def round_trips(self) -> int:
        return self._messages[READY_FOR_QUERY]

    @property
    def statements(self) -> int:
        # A statement that is asked for one row ends as a suspended portal.
        return self._messages[COMMAND_COMPLETE] + self._messages[PORTAL_SUSPENDED]

    def __enter__(self) -> Self:
        self._thread.start()
        self._listening.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        server = await asyncio.start_server(self._connect, HOST, 0)
        self.port = server.sockets[0].getsockname()[1]
        self._listening.set()
        await self._ended.wait()
        server.close()

    async def _connect(self, client: asyncio.StreamReader, response: asyncio.StreamWriter) -> None:
        server, request = await asyncio.open_connection(HOST, self._server_port)
        first = await client.readexactly(8)
        if first.endswith(SSL_REQUEST):
            response.write(b"N")
        else:
            request.write(first)
        try:
            await asyncio.gather(self._forward(client, request), self._count(server, response))
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            request.close()
            response.close()

    async def _forward(self, client: asyncio.StreamReader, request: asyncio.StreamWriter) -> None:
        while chunk := await client.read(65536):
            request.write(chunk)
        request.close()

    async def _count(self, server: asyncio.StreamReader, response: asyncio.StreamWriter) -> None:
        while True:
            head = await server.readexactly(5)
            content = await server.readexactly(int.from_bytes(head[1:], "big") - 4)
            self._messages[head[:1]] += 1
            response.write(head + content)
