"""The proxy loses a real server's responses, and the server has done the work."""

from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest

from tests.kernel.processes.postgresql_messages import ClientMessages
from tests.kernel.processes.postgresql_server import PostgresServer, find_binaries
from tests.kernel.processes.tcp_proxy import TcpProxy

needs_postgresql = pytest.mark.skipif(
    find_binaries() is None, reason="no PostgreSQL on this machine"
)


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with PostgresServer.start() as server:
        yield server


@pytest.fixture
async def proxy(server: PostgresServer) -> AsyncIterator[TcpProxy]:
    async with TcpProxy(server.host, server.port) as proxy:
        yield proxy


@pytest.fixture
async def witness(server: PostgresServer) -> AsyncIterator[asyncpg.Connection]:
    """A connection past the proxy."""
    connection = await asyncpg.connect(server.url(driver="postgresql"))
    await connection.execute("DROP TABLE IF EXISTS item; CREATE TABLE item (name text)")
    yield connection
    await connection.close()


@pytest.fixture
async def client(
    server: PostgresServer, proxy: TcpProxy, witness: asyncpg.Connection
) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(server.url(driver="postgresql", port=proxy.port))
    yield connection
    connection.terminate()


@needs_postgresql
async def test_commit_is_made_and_its_response_lost(
    proxy: TcpProxy, client: asyncpg.Connection, witness: asyncpg.Connection
) -> None:
    lost = proxy.drop_commit_response()
    transaction = client.transaction()
    await transaction.start()
    await client.execute("INSERT INTO item VALUES ($1)", "kept")
    assert not lost.is_set()

    with pytest.raises((OSError, asyncpg.PostgresConnectionError)):
        await transaction.commit()

    assert lost.is_set()
    assert await witness.fetchval("SELECT name FROM item") == "kept"


@needs_postgresql
async def test_write_of_a_prepared_statement_is_made_and_its_response_lost(
    proxy: TcpProxy, client: asyncpg.Connection, witness: asyncpg.Connection
) -> None:
    insert = await client.prepare("INSERT INTO item VALUES ($1)")
    await insert.fetch("before")
    lost = proxy.drop_next_response(lambda message: message[:1] == b"B" and b"chosen" in message)
    await insert.fetch("other")
    assert not lost.is_set()

    with pytest.raises((OSError, asyncpg.PostgresConnectionError)):
        await insert.fetch("chosen")

    assert lost.is_set()
    assert [name for (name,) in await witness.fetch("SELECT name FROM item")] == [
        "before",
        "other",
        "chosen",
    ]


@needs_postgresql
async def test_the_next_commit_gets_its_response(
    server: PostgresServer, proxy: TcpProxy, client: asyncpg.Connection
) -> None:
    proxy.drop_commit_response()
    with pytest.raises((OSError, asyncpg.PostgresConnectionError)):
        await client.execute("COMMIT")

    other = await asyncpg.connect(server.url(driver="postgresql", port=proxy.port))

    assert await other.execute("BEGIN; COMMIT") == "COMMIT"
    await other.close()


def test_what_is_no_postgresql_has_no_messages() -> None:
    assert list(ClientMessages().feed(bytes(1000))) == []


@pytest.mark.parametrize("size", [1, 3, 7, 1000])
def test_messages_are_whole_however_they_are_cut(size: int) -> None:
    ssl_request = (8).to_bytes(4) + (80877103).to_bytes(4)
    startup = (13).to_bytes(4) + (196608).to_bytes(4) + b"user\0"
    query = b"Q" + (12).to_bytes(4) + b"COMMIT;\0"
    sync = b"S" + (4).to_bytes(4)
    sent = ssl_request + startup + query + sync

    messages = ClientMessages()
    chunks = [sent[start : start + size] for start in range(0, len(sent), size)]

    assert [message for chunk in chunks for message in messages.feed(chunk)] == [
        ssl_request,
        startup,
        query,
        sync,
    ]
