import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from tests.kernel.processes.tcp_proxy import TcpProxy

Client = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@pytest.fixture
async def echo() -> AsyncIterator[int]:
    """The port of a server that says everything back."""

    async def response(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while chunk := await reader.read(65_536):
                writer.write(chunk)
                await writer.drain()
        except ConnectionResetError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(response, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()


@pytest.fixture
async def proxy(echo: int) -> AsyncIterator[TcpProxy]:
    async with TcpProxy("127.0.0.1", echo) as proxy:
        yield proxy


@pytest.fixture
async def connect(proxy: TcpProxy) -> AsyncIterator[Callable[[], Awaitable[Client]]]:
    writers: list[asyncio.StreamWriter] = []

    async def connect() -> Client:
        reader, writer = await asyncio.open_connection(proxy.host, proxy.port)
        writers.append(writer)
        return reader, writer

    yield connect
    for writer in writers:
        writer.transport.abort()


async def say(client: Client, words: bytes) -> bytes:
    reader, writer = client
    writer.write(words)
    return await reader.readexactly(len(words))


Connect = Callable[[], Awaitable[Client]]


async def test_passes_both_directions_and_counts(proxy: TcpProxy, connect: Connect) -> None:
    assert await say(await connect(), b"hello") == b"hello"

    assert (proxy.connections, proxy.bytes_up, proxy.bytes_down) == (1, 5, 5)


async def test_passes_much_at_once(connect: Connect) -> None:
    much = bytes(5_000_000)

    assert await say(await connect(), much) == much


async def test_passes_the_end_of_a_connection(proxy: TcpProxy, connect: Connect) -> None:
    reader, writer = await connect()

    writer.write(b"bye")
    writer.write_eof()

    assert await reader.read() == b"bye"
    assert proxy.connections == 0


async def test_rejects_new_connections_and_keeps_open_ones(
    proxy: TcpProxy, connect: Connect
) -> None:
    client, port = await connect(), proxy.port
    await say(client, b"before")

    proxy.refuse()

    with pytest.raises(ConnectionRefusedError):
        await connect()
    assert await say(client, b"still here") == b"still here"
    await proxy.accept()
    assert proxy.port == port
    assert await say(await connect(), b"again") == b"again"


async def test_cut_resets_all_connections_and_takes_new_ones(
    proxy: TcpProxy, connect: Connect
) -> None:
    clients = [await connect(), await connect()]
    for client in clients:
        await say(client, b"hello")

    proxy.cut()

    for client in clients:
        with pytest.raises(ConnectionResetError):
            await client[0].read()
    assert proxy.connections == 0
    assert await say(await connect(), b"again") == b"again"


async def test_black_hole_holds_everything_back_until_it_flows(
    proxy: TcpProxy, connect: Connect
) -> None:
    old = await connect()
    await say(old, b"hello")

    proxy.black_hole()
    new = await connect()
    waiting = [asyncio.create_task(say(client, b"anyone?")) for client in (old, new)]
    _, pending = await asyncio.wait(waiting, timeout=0.2)
    assert pending == set(waiting)
    proxy.flow()

    assert await asyncio.gather(*waiting) == [b"anyone?", b"anyone?"]


async def test_black_hole_hides_that_the_client_has_gone(proxy: TcpProxy, connect: Connect) -> None:
    client = await connect()
    await say(client, b"hello")

    proxy.black_hole()
    client[1].close()
    await asyncio.sleep(0.05)

    assert proxy.connections == 0


async def test_cut_works_in_a_black_hole(proxy: TcpProxy, connect: Connect) -> None:
    client = await connect()
    await say(client, b"hello")

    proxy.black_hole()
    proxy.cut()

    with pytest.raises(ConnectionResetError):
        await client[0].read()


async def test_delays_each_direction(proxy: TcpProxy, connect: Connect) -> None:
    client = await connect()
    await say(client, b"hello")
    proxy.delay(0.1)

    start = time.monotonic()
    await say(client, b"hello")

    assert 0.2 <= time.monotonic() - start < 1


async def test_resets_the_client_when_there_is_no_server() -> None:
    async with TcpProxy("127.0.0.1", 1) as proxy:
        reader, writer = await asyncio.open_connection(proxy.host, proxy.port)

        with pytest.raises(ConnectionResetError):
            await reader.read()
        writer.close()
