import asyncio
import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from tests.kernel.processes.free_port import free_port
from tests.kernel.processes.postgresql_binaries import copy_binaries
from tests.kernel.processes.postgresql_server import PostgresServer, find_binaries
from tests.kernel.processes.process_tree import descendants, is_running
from tests.kernel.processes.server_account import ServerAccount

pytestmark = pytest.mark.skipif(find_binaries() is None, reason="no PostgreSQL on this machine")


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with PostgresServer.start() as server:
        yield server


@pytest.fixture
def open_directory() -> Iterator[Path]:
    """A directory that the server's account may enter, which `tmp_path` is not under root."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


async def ask(server: PostgresServer, question: str, database: str = "postgres") -> object:
    connection = await asyncpg.connect(server.url(database, driver="postgresql"))
    try:
        return await connection.fetchval(question)
    finally:
        await connection.close()


async def test_it_responds_at_its_url(server: PostgresServer) -> None:
    assert await ask(server, "SELECT 1") == 1


def test_url_names_the_driver_the_database_and_another_port(server: PostgresServer) -> None:
    url = server.url("shop", port=1234)

    assert url == f"postgresql+asyncpg://service:{server.password}@127.0.0.1:1234/shop"


async def test_asks_for_the_password(server: PostgresServer) -> None:
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(server.url(driver="postgresql"), password="a guess")


async def test_database_can_be_dropped_under_its_clients(server: PostgresServer) -> None:
    await server.create_database("shop")
    client = await asyncpg.connect(server.url("shop", driver="postgresql"))

    await server.drop_database("shop")

    with pytest.raises(asyncpg.InvalidCatalogNameError):
        await ask(server, "SELECT 1", database="shop")
    client.terminate()


async def test_committed_rows_survive_a_crash(server: PostgresServer) -> None:
    await ask(server, "CREATE TABLE IF NOT EXISTS kept (id int)")
    port, pid = server.port, server.pid
    await ask(server, "INSERT INTO kept VALUES (42)")

    server.kill()
    server.resume()

    assert "database system was not properly shut down" in server.log
    assert await ask(server, "SELECT id FROM kept") == 42
    assert server.port == port
    assert server.pid != pid


async def test_crash_ends_every_process_and_connection(server: PostgresServer) -> None:
    client = await asyncpg.connect(server.url(driver="postgresql"))
    family = [server.pid, *descendants(server.pid)]
    assert client.get_server_pid() in family

    server.kill()

    assert not any(is_running(pid) for pid in family)
    with pytest.raises((asyncpg.PostgresError, OSError, asyncpg.InterfaceError)):
        await client.fetchval("SELECT 1")
    with pytest.raises(ConnectionRefusedError):
        await ask(server, "SELECT 1")
    server.resume()


async def test_restart_ends_connections_and_comes_back(server: PostgresServer) -> None:
    client = await asyncpg.connect(server.url(driver="postgresql"))

    await asyncio.to_thread(server.restart)

    assert client.is_closed()
    assert await ask(server, "SELECT 1") == 1


async def test_freeze_makes_a_query_wait_until_thaw(server: PostgresServer) -> None:
    client = await asyncpg.connect(server.url(driver="postgresql"))

    server.freeze()
    response = asyncio.create_task(client.fetchval("SELECT 1"))
    _, waiting = await asyncio.wait([response], timeout=0.3)
    server.thaw()

    assert waiting == {response}
    assert await response == 1
    await client.close()


async def test_settings_reach_the_server() -> None:
    with PostgresServer.start(settings={"max_connections": "7"}) as small:
        assert await ask(small, "SHOW max_connections") == "7"


@pytest.mark.parametrize(("durable", "fsync"), [(True, "on"), (False, "off")])
async def test_flushes_to_the_disk_when_asked_to(durable: bool, fsync: str) -> None:
    with PostgresServer.start(durable=durable) as server:
        assert await ask(server, "SHOW fsync") == fsync
        assert await ask(server, "SHOW synchronous_commit") == "on"


def test_error_at_start_shows_the_log_and_leaves_nothing(open_directory: Path) -> None:
    with pytest.raises(RuntimeError, match="unrecognized configuration parameter"):
        PostgresServer.start(open_directory, {"no_such_setting": "1"})

    assert not list(open_directory.iterdir())


@pytest.mark.slow
@pytest.mark.parametrize("trouble", ["nothing", "freeze", "kill", "stop"])
def test_close_leaves_neither_process_nor_directory(trouble: str, open_directory: Path) -> None:
    server = PostgresServer.start(open_directory)
    family = [server.pid, *descendants(server.pid)]
    if trouble != "nothing":
        getattr(server, trouble)()

    server.close()

    assert not any(is_running(pid) for pid in family)
    assert not list(open_directory.iterdir())


def test_takes_another_port_when_its_own_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as occupied:
        ports = iter([occupied.getsockname()[1], free_port()])
        monkeypatch.setattr(
            "tests.kernel.processes.postgresql_server.free_port", lambda: next(ports)
        )

        with PostgresServer.start() as server:
            assert server.port != occupied.getsockname()[1]


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="only root hands the server to another account")
async def test_copies_binaries_that_only_root_can_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = find_binaries()
    assert found
    private = copy_binaries(found, tmp_path / "private", ServerAccount())
    (tmp_path / "private").chmod(0o700)
    monkeypatch.setattr(
        "tests.kernel.processes.postgresql_cluster.find_binaries", lambda **_: private
    )

    with PostgresServer.start() as server:
        assert await ask(server, "SELECT 1") == 1
