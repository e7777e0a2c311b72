"""A network between a client and a server, with faults to order."""

import asyncio
from collections.abc import Callable
from typing import Self

from tests.kernel.processes.postgresql_messages import ClientMessages, Response
from tests.kernel.processes.proxy_link import ProxyLink

Matcher = Callable[[bytes], bool]


class TcpProxy:
    """Listens on a free port of 127.0.0.1 and forwards everything, until a method changes that.

    `async with TcpProxy(server.host, server.port) as proxy: ... proxy.port ...`
    """

    host = "127.0.0.1"

    def __init__(self, upstream_host: str, upstream_port: int) -> None:
        self.port = 0
        self.bytes_up = 0
        self.bytes_down = 0
        self._upstream = (upstream_host, upstream_port)
        self._listener: asyncio.Server | None = None
        self._links: dict[asyncio.Task[None], ProxyLink] = {}
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._delay = 0.0
        self._fault: tuple[Matcher, asyncio.Event] | None = None

    @property
    def connections(self) -> int:
        """How many clients are connected."""
        return sum(link.has_client for link in self._links.values())

    async def accept(self) -> None:
        """Listen: how a proxy starts, and the end of `refuse`. The port stays the same."""
        if self._listener is None:
            self._listener = await asyncio.start_server(self._serve, self.host, self.port)
            self.port = self._listener.sockets[0].getsockname()[1]

    def refuse(self) -> None:
        """Refuse new connections; those that are open stay so."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    def cut(self) -> None:
        """Reset all open connections, as a firewall does that has lost its memory."""
        for task, link in self._links.items():
            link.reset()
            task.cancel()

    def black_hole(self) -> None:
        """Keep connections, take new ones, and pass nothing on: no byte, no end, no reset."""
        self._flowing.clear()

    def forget(self) -> None:
        """Pass nothing on for the connections that are open, without a word to either side, as a
        firewall or an address translation does that has dropped them. New ones work."""
        for link in self._links.values():
            link.is_forgotten = True

    def switch(self, upstream_host: str, upstream_port: int) -> None:
        """Pass new connections on to another server, as an address does that moves."""
        self._upstream = (upstream_host, upstream_port)

    def flow(self) -> None:
        """End `black_hole`: what was held back arrives now."""
        self._flowing.set()

    def delay(self, seconds: float) -> None:
        """Hold every chunk back for this long, in each direction; 0 ends it."""
        self._delay = seconds

    def drop_commit_response(self, matches: bytes = b"COMMIT") -> asyncio.Event:
        """Do as `drop_next_response` does, for the next message that contains these bytes."""
        return self.drop_next_response(lambda message: matches in message)

    def drop_next_response(self, when: Matcher) -> asyncio.Event:
        """Lose the response to one message: the server has done the work, the client never hears.

        `when` is asked about each whole message that any client sends, with the PostgreSQL
        protocol's letter and length in front; through TLS it sees nothing. The message it picks
        reaches the server. The response, up to the server's "ready for query", does not come back,
        and then both sides are reset. So let it pick one that such a response follows: a Query, a
        Bind or an Execute, and not the Parse of a statement that is only being prepared.

        It happens once; the event says that it has.
        """
        happened = asyncio.Event()
        self._fault = (when, happened)
        return happened

    async def close(self) -> None:
        self.refuse()
        self.cut()
        await asyncio.gather(*self._links, return_exceptions=True)

    async def __aenter__(self) -> Self:
        await self.accept()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = ProxyLink(reader, writer)
        task = asyncio.create_task(self._join(link))
        self._links[task] = link
        task.add_done_callback(self._links.pop)

    async def _join(self, link: ProxyLink) -> None:
        lost_response: asyncio.Future[asyncio.Event] = asyncio.Future()
        try:
            await self._flowing.wait()
            await link.connect(*self._upstream)
            async with asyncio.TaskGroup() as directions:
                directions.create_task(self._pass_up(link, lost_response))
                directions.create_task(self._pass_down(link, lost_response))
            link.close()
        except* OSError:
            # One side was reset, and so the other side is reset too.
            await self._flowing.wait()
        finally:
            link.reset()

    async def _pass_up(self, link: ProxyLink, lost_response: asyncio.Future[asyncio.Event]) -> None:
        messages = ClientMessages()
        while chunk := await link.from_client():
            await self._travel(link)
            for message in messages.feed(chunk):
                if self._fault and self._fault[0](message) and not lost_response.done():
                    lost_response.set_result(self._fault[1])
                    self._fault = None
            await link.to_server(chunk)
            self.bytes_up += len(chunk)
        await self._travel(link)
        await link.to_server(chunk)

    async def _pass_down(
        self, link: ProxyLink, lost_response: asyncio.Future[asyncio.Event]
    ) -> None:
        response = Response()
        while chunk := await link.from_server():
            await self._travel(link)
            if lost_response.done():
                if response.is_complete(chunk):
                    break
                continue
            await link.to_client(chunk)
            self.bytes_down += len(chunk)
        if lost_response.done():
            lost_response.result().set()
            raise ConnectionResetError
        await self._travel(link)
        await link.to_client(chunk)

    async def _travel(self, link: ProxyLink) -> None:
        """Take the time, and wait out the fault, that is ordered for this network."""
        if self._delay:
            await asyncio.sleep(self._delay)
        await self._flowing.wait()
        if link.is_forgotten:
            await asyncio.Event().wait()
