"""An address may name several hosts, or a Unix socket; a connection has the service's name.

Without a share of the time for each host (`adapters/sql/kernel/postgresql/hosts.py`), a host that
does not respond leaves no time for the next one. Without `_first`, it takes its share for each
connection, and a readiness check, which has one second, never reaches the second host.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import URL, make_url, text
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.sql.kernel.engine import engine_to_check
from application.kernel.errors import StorageUnavailable
from entrypoints.kernel.background.readiness import Readiness
from tests.kernel.contract.products import all_stored
from tests.kernel.database_settings import engine_for
from tests.kernel.faults.postgresql_service import needs_postgresql
from tests.kernel.postgresql_databases import run_statement
from tests.kernel.processes.postgresql_server import PostgresServer
from tests.kernel.processes.tcp_proxy import TcpProxy
from tests.kernel.warehouse.storages import SqlStorage

WAIT_SECONDS = 2.0
"""The longest wait for a connection."""


def address(url: str, hosts: str, parameters: str = "") -> str:
    of = make_url(url)
    return f"postgres://{of.username}:{of.password}@{hosts}/{of.database}?{parameters}"


async def scalar(engine: AsyncEngine, sql: str) -> object:
    async with engine.connect() as connection:
        return await connection.scalar(text(sql))


async def value_at(url: str, sql: str) -> object:
    engine = engine_for(url)
    try:
        return await scalar(engine, sql)
    finally:
        await engine.dispose()


@asynccontextmanager
async def silent_host(url: URL) -> AsyncIterator[str]:
    """Yield the address of a host that takes connections and never says a word."""
    async with TcpProxy(str(url.host), url.port or 5432) as proxy:
        proxy.black_hole()
        yield f"{proxy.host}:{proxy.port}"


async def test_a_first_host_that_is_silent_leaves_time_for_the_second(postgresql_url: str) -> None:
    url = make_url(postgresql_url)
    async with silent_host(url) as silent:
        engine = engine_for(address(postgresql_url, f"{silent},{url.host}:{url.port}"))
        async with asyncio.timeout(WAIT_SECONDS):
            assert await scalar(engine, "SELECT 1") == 1
        async with engine.connect(), asyncio.timeout(WAIT_SECONDS / 4):
            # Another connection; the silent host is not asked first again.
            assert await scalar(engine, "SELECT 2") == 2
        await engine.dispose()


async def test_hosts_that_are_all_silent_take_no_longer_than_one(postgresql_url: str) -> None:
    url = make_url(postgresql_url)
    async with silent_host(url) as one, silent_host(url) as other:
        storage = SqlStorage(engine_for(address(postgresql_url, f"{one},{other}")))
        started = time.monotonic()
        with pytest.raises(StorageUnavailable):
            await all_stored(storage.units_of_work)
        assert time.monotonic() - started < 2 * WAIT_SECONDS
        await storage.close()


async def test_a_shorter_connect_timeout_is_kept(postgresql_url: str) -> None:
    async with silent_host(make_url(postgresql_url)) as silent:
        storage = SqlStorage(engine_for(address(postgresql_url, silent, "connect_timeout=1")))
        with pytest.raises(StorageUnavailable):
            async with asyncio.timeout(WAIT_SECONDS):
                await all_stored(storage.units_of_work)
        await storage.close()


async def test_a_readiness_check_comes_to_the_second_host(postgresql_url: str) -> None:
    url = make_url(postgresql_url)
    async with silent_host(url) as silent:
        storage = SqlStorage(engine_for(address(postgresql_url, f"{silent},{url.host}:{url.port}")))
        readiness = Readiness(storage.check)
        checking = asyncio.create_task(readiness.keep_checking())
        async with asyncio.timeout(30):
            while not await readiness.is_ready():
                await asyncio.sleep(0.05)
        checking.cancel()
        await asyncio.wait([checking])
        await storage.close()


async def test_a_host_that_is_down_is_passed_over(postgresql_url: str) -> None:
    url = make_url(postgresql_url)
    hosts = f"127.0.0.1:1,{url.host}:{url.port}"
    assert await value_at(address(postgresql_url, hosts), "SELECT 1") == 1


@pytest.fixture(scope="module")
def standby(postgresql_server_url: str) -> Iterator[str]:
    """The host and port of a standby, which has the other server's password."""
    password = make_url(postgresql_server_url).password
    with PostgresServer.start() as server:
        url = server.url()
        run_statement(url, f"ALTER ROLE {server.user} PASSWORD '{password}'")
        server.become_standby()
        yield f"{server.host}:{server.port}"


@needs_postgresql
@pytest.mark.parametrize(
    ("wanted", "first", "used"),
    [
        ("any", "standby", "standby"),
        ("any", "primary", "primary"),
        ("primary", "standby", "primary"),
        ("read-write", "standby", "primary"),
        ("standby", "primary", "standby"),
        ("read-only", "primary", "standby"),
        ("prefer-standby", "primary", "standby"),
        ("prefer-standby", "nothing", "primary"),
    ],
)
async def test_the_host_that_is_wanted_is_used(
    postgresql_server_url: str, standby: str, wanted: str, first: str, used: str
) -> None:
    url = make_url(postgresql_server_url)
    primary = f"{url.host}:{url.port}"
    hosts = {
        "standby": f"{standby},{primary}",
        "primary": f"{primary},{standby}",
        "nothing": f"127.0.0.1:1,{primary}",
    }[first]
    through = address(postgresql_server_url, hosts, f"target_session_attrs={wanted}")
    is_standby = await value_at(through, "SELECT pg_is_in_recovery()")
    assert is_standby is (used == "standby")


async def test_an_error_says_that_no_host_has_the_wanted_role(postgresql_url: str) -> None:
    url = make_url(postgresql_url)
    through = address(
        postgresql_url, f"{url.host}:{url.port}", parameters="target_session_attrs=standby"
    )
    storage = SqlStorage(engine_for(through))
    with pytest.raises(StorageUnavailable, match="no host of the database is standby"):
        await storage.check()
    await storage.close()


@pytest.mark.parametrize("form", ["postgres://{user}@/{name}?host={folder}", "{encoded}"])
async def test_a_unix_socket(postgresql_url: str, tmp_path: Path, form: str) -> None:
    url = make_url(postgresql_url)
    folder = str(tmp_path)
    encoded = "postgres://{user}@" + folder.replace("/", "%2F") + "/{name}"
    text_ = form.format(user="{user}", name="{name}", folder=folder, encoded=encoded)
    async with socket_in(tmp_path, url):
        through = text_.format(user=f"{url.username}:{url.password}", name=url.database)
        assert await value_at(through, "SELECT 1") == 1


@asynccontextmanager
async def socket_in(folder: Path, url: URL) -> AsyncIterator[None]:
    """Pass on what comes to a socket where libpq looks for that of a server."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await asyncio.open_connection(url.host, url.port)
        await asyncio.gather(copy(reader, server_writer), copy(server_reader, writer))

    async with await asyncio.start_unix_server(serve, folder / ".s.PGSQL.5432"):
        yield


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while chunk := await reader.read(65_536):
        writer.write(chunk)
    writer.close()


@pytest.mark.parametrize(
    ("parameters", "name"),
    [("", "async-database-service"), ("application_name=shop%20floor", "shop floor")],
)
async def test_connections_have_the_services_name(
    postgresql_url: str, parameters: str, name: str
) -> None:
    url = make_url(postgresql_url)
    engine = engine_for(address(postgresql_url, f"{url.host}:{url.port}", parameters))
    to_check = engine_to_check(engine)
    sql = "SELECT application_name FROM pg_stat_activity WHERE pid = pg_backend_pid()"
    for each in (engine, to_check):
        assert await scalar(each, sql) == name
        await each.dispose()


async def test_options_reach_the_server(postgresql_url: str) -> None:
    url = make_url(postgresql_url)
    through = address(
        postgresql_url, f"{url.host}:{url.port}", "options=-c%20work_mem%3D7MB%20-cgeqo%3Doff"
    )
    engine = engine_for(through)
    to_check = engine_to_check(engine)
    for each in (engine, to_check):
        assert await scalar(each, "SHOW work_mem") == "7MB"
        assert await scalar(each, "SHOW geqo") == "off"
        # The check has the limits of the requests, too.
        assert await scalar(each, "SHOW statement_timeout") == "4s"
        await each.dispose()
