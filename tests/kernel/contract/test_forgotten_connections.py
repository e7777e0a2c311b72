"""Connections that the network forgot, and those to a server that has become a standby."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker

from adapters.sql.kernel.postgresql import database as postgresql
from adapters.sql.kernel.postgresql import tcp_keepalive
from application.kernel.errors import StorageUnavailable
from tests.kernel.contract.connections_in_use import all_are_released
from tests.kernel.contract.products import all_stored, new_product, store
from tests.kernel.database_settings import DatabaseSettings, engine_from
from tests.kernel.postgresql_databases import run_statement
from tests.kernel.processes.tcp_proxy import TcpProxy
from tests.kernel.warehouse.storages import SqlStorage

POOL_SIZE = 6
DEADLINE = 2.0
# Half of the wait for a connection, which is two fifths of the deadline.
PROBE_SECONDS = 0.4
PID = text("SELECT pg_backend_pid()")


def engine_of(url: str, max_age: int = 1800) -> AsyncEngine:
    return engine_from(
        DatabaseSettings(
            SecretStr(url),
            database_pool_size=POOL_SIZE,
            request_deadline_seconds=DEADLINE,
            database_connection_max_age_seconds=max_age,
        )
    )


async def fill(storage: SqlStorage, engine: AsyncEngine) -> None:
    """Have the pool hold all its connections, none of them in use."""
    await asyncio.gather(*(all_stored(storage.units_of_work) for _ in range(POOL_SIZE)))
    assert await all_are_released(engine)


@pytest.fixture
async def proxy(postgresql_url: str) -> AsyncIterator[TcpProxy]:
    url = make_url(postgresql_url)
    async with TcpProxy(str(url.host), url.port or 5432) as proxy:
        yield proxy


@pytest.fixture
def through_proxy(postgresql_url: str, proxy: TcpProxy) -> str:
    url = make_url(postgresql_url).set(host=proxy.host, port=proxy.port)
    return url.render_as_string(hide_password=False)


@pytest.mark.parametrize("kind", ["read", "write"])
async def test_all_that_the_network_forgot_cost_one_short_wait(
    kind: str, through_proxy: str, proxy: TcpProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = engine_of(through_proxy)
    storage = SqlStorage(engine)
    await fill(storage, engine)
    monkeypatch.setattr(postgresql, "PROVEN_FOR_SECONDS", 0)
    proxy.forget()

    started = time.monotonic()
    for number in range(POOL_SIZE + 1):
        if kind == "read":
            await all_stored(storage.units_of_work)
        else:
            await store(storage.units_of_work, new_product(number))
    # Each of the connections on its own would take as long.
    assert time.monotonic() - started < 2 * PROBE_SECONDS + 0.5
    await storage.close()


async def test_a_connection_that_was_just_used_is_not_checked(
    through_proxy: str, proxy: TcpProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql, "PROVEN_FOR_SECONDS", 60)
    monkeypatch.setattr(postgresql, "PROBE", "SELECT pg_terminate_backend(pg_backend_pid())")
    engine = engine_of(through_proxy)
    storage = SqlStorage(engine)
    await fill(storage, engine)
    connections = proxy.connections

    await all_stored(storage.units_of_work)

    assert proxy.connections == connections
    await storage.close()


async def test_a_server_that_does_not_respond_fails_within_the_deadline(
    through_proxy: str, proxy: TcpProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = engine_of(through_proxy)
    storage = SqlStorage(engine)
    await fill(storage, engine)
    monkeypatch.setattr(postgresql, "PROVEN_FOR_SECONDS", 0)
    proxy.black_hole()

    started = time.monotonic()
    with pytest.raises(StorageUnavailable):
        await all_stored(storage.units_of_work)

    assert time.monotonic() - started < DEADLINE
    proxy.flow()
    await all_stored(storage.units_of_work)
    await storage.close()


@pytest.fixture
async def read_only(postgresql_url: str, postgresql_server_url: str) -> AsyncIterator[AsyncEngine]:
    """An engine whose pool is full of connections that may only read; new ones may write."""
    database = make_url(postgresql_url).database
    setting = "default_transaction_read_only"
    await asyncio.to_thread(
        run_statement, postgresql_server_url, f"ALTER DATABASE {database} SET {setting} = on"
    )
    engine = engine_of(postgresql_url)
    try:
        await fill(SqlStorage(engine), engine)
    finally:
        await asyncio.to_thread(
            run_statement, postgresql_server_url, f"ALTER DATABASE {database} RESET {setting}"
        )
    yield engine
    await engine.dispose()


async def test_a_server_that_became_a_standby_rejects_one_write(read_only: AsyncEngine) -> None:
    storage = SqlStorage(read_only)

    with pytest.raises(StorageUnavailable, match="25006"):
        await store(storage.units_of_work, new_product(0))
    for number in range(1, POOL_SIZE + 1):
        await store(storage.units_of_work, new_product(number))

    await storage.close()


async def test_a_connection_in_use_is_replaced_when_it_is_given_back(
    read_only: AsyncEngine,
) -> None:
    storage = SqlStorage(read_only)

    async with storage._database.transaction():
        with pytest.raises(StorageUnavailable, match="25006"):
            await store(storage.units_of_work, new_product(0))
    writes = (store(storage.units_of_work, new_product(each)) for each in range(1, 2 * POOL_SIZE))
    await asyncio.gather(*writes)

    await storage.close()


async def test_a_session_gives_its_read_only_connection_up_too(read_only: AsyncEngine) -> None:
    sessions = async_sessionmaker(read_only)
    create = text("CREATE TABLE written (id int)")

    async with sessions() as session:
        with pytest.raises(Exception, match="read-only transaction"):
            await session.execute(create)
    async with sessions() as session:
        await session.execute(create)
        await session.rollback()


async def test_a_connection_is_replaced_at_its_greatest_age(postgresql_url: str) -> None:
    pids = {}
    for max_age in (0, 1800):
        engine = engine_of(postgresql_url, max_age)
        async with engine.connect() as connection:
            first = await connection.scalar(PID)
        async with engine.connect() as connection:
            pids[max_age] = first == await connection.scalar(PID)
        await engine.dispose()

    assert pids == {0: False, 1800: True}


async def test_both_ends_find_out_that_the_network_forgot_them(postgresql_url: str) -> None:
    """Without `_transport`, which asyncpg does not document, the keepalive of an idle connection
    cannot be set: `adapters.sql.kernel.postgresql.tcp_keepalive`."""
    import socket

    engine = engine_of(postgresql_url)
    async with engine.connect() as connection:
        raw = await connection.get_raw_connection()
        driver = raw.driver_connection
        assert driver is not None
        its_socket = driver._transport.get_extra_info("socket")
        shown = [await connection.scalar(text(f"SHOW {n}")) for n in tcp_keepalive.SERVER_SETTINGS]
        options = {
            name: its_socket.getsockopt(socket.IPPROTO_TCP, getattr(socket, name))
            for name in ("TCP_KEEPIDLE", "TCP_USER_TIMEOUT")
            if hasattr(socket, name)
        }
        is_kept_alive = its_socket.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
    await engine.dispose()

    assert is_kept_alive
    assert options.get("TCP_KEEPIDLE", 10) == 10
    assert options.get("TCP_USER_TIMEOUT", 2000) == DEADLINE * 1000
    assert shown == list(tcp_keepalive.SERVER_SETTINGS.values())
