"""The service behind a real PgBouncer with fewer connections than the service has.

Without `_look_for_a_pooler` (`adapters/sql/kernel/postgresql/connecting.py`), most requests fail in
transaction mode. Without `for_sqlalchemy`, SQLAlchemy caches prepared statements that asyncpg does
not, and sessions never notice that the type of a column has changed.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from random import Random
from typing import Any

import pytest
from sqlalchemy import bindparam, make_url, text
from sqlalchemy.ext.asyncio import AsyncSession

from adapters.sql.kernel.migration.migrate import migrate, migrate_down
from adapters.sql.kernel.migration.schema import current_revision, head
from adapters.sql.kernel.postgresql.tcp_keepalive import SERVER_SETTINGS
from entrypoints.kernel.background.readiness import NO_RESPONSE
from tests.kernel.contract.products import new_product, next_version
from tests.kernel.database_settings import engine_for
from tests.kernel.faults.keep_alive_client import KeepAliveClient
from tests.kernel.faults.postgresql_service import service_on
from tests.kernel.faults.service_log import assert_no_traceback, events_of
from tests.kernel.integration.service import PRODUCTS
from tests.kernel.postgresql_databases import run_statement
from tests.kernel.processes.pgbouncer import needs_pgbouncer, pgbouncer
from tests.kernel.processes.service_process import ServiceProcess
from tests.kernel.warehouse.storages import SqlStorage

pytestmark = needs_pgbouncer

CLIENTS = 12
FEWEST_ITEMS = 3
PAUSE_SECONDS = 0.01
# In session mode each connection of the service needs one to the server: ten in the pool, one for
# the health check, and the test's own.
SERVER_CONNECTIONS = {"transaction": 3, "session": 24}
Send = Callable[[], Coroutine[Any, Any, int]]


@pytest.fixture(params=SERVER_CONNECTIONS)
def through_pgbouncer(request: pytest.FixtureRequest, postgresql_url: str) -> Iterator[str]:
    """The test's database, through a PgBouncer in each mode."""
    mode = request.param
    with pgbouncer(postgresql_url, mode=mode, connections=SERVER_CONNECTIONS[mode]) as url:
        yield url


@pytest.mark.parametrize(
    "number", [300, pytest.param(5_000, marks=[pytest.mark.slow, pytest.mark.timeout(300)])]
)
async def test_mixed_requests_succeed(through_pgbouncer: str, number: int) -> None:
    async with service_on(through_pgbouncer) as service, AsyncExitStack() as stack:
        await stack.enter_async_context(sessions_beside(through_pgbouncer))
        clients = [await stack.enter_async_context(mixed(service, n)) for n in range(CLIENTS)]
        kinds: Counter[str] = Counter()
        started = time.monotonic()

        async def send_some(client: "Mixed") -> None:
            while kinds.total() < number:
                kind = await client.send_one()
                kinds[kind] += 1

        await asyncio.gather(*(send_some(client) for client in clients))
        seconds = time.monotonic() - started

    print(f"{kinds.total() / seconds:.0f} requests/s", dict(kinds))
    assert {kind for kind in kinds if not kind.endswith(("200", "201", "204", "409"))} == set()
    # That a check was late is due to a busy machine.
    assert {line["reason"] for line in events_of(service, "not ready")} <= {NO_RESPONSE}
    assert_no_traceback(service)


class Mixed:
    """Sends requests of all kinds for items of its own, some with an Idempotency-Key."""

    def __init__(self, connection: KeepAliveClient, number: int) -> None:
        self._connection = connection
        self._chance = Random(number)
        self._number = number
        self._paths: list[str] = []

    async def send_one(self) -> str:
        """Return what was sent and the status of the response."""
        if len(self._paths) < FEWEST_ITEMS:
            kind = "POST"
        else:
            kind = self._chance.choice(["GET", "GET", "list", "POST", "PATCH", "PUT", "DELETE"])
        keys = {}
        if kind not in {"GET", "list"} and self._chance.random() < 0.5:
            keys = {"Idempotency-Key": f"{self._number}-{self._chance.getrandbits(64)}"}
        path = self._chance.choice(self._paths) if self._paths else ""
        body = {"name": f"item {self._chance.random()}"}
        match kind:
            case "list":
                response = await self._connection.request("GET", f"{PRODUCTS}/?limit=5")
            case "GET":
                response = await self._connection.request("GET", path)
            case "POST":
                response = await self._connection.request("POST", PRODUCTS, body, **keys)
                if response.status == 201:
                    self._paths.append(response.headers["location"])
            case "DELETE":
                self._paths.remove(path)
                response = await self._connection.request("DELETE", path, **keys)
            case _:
                response = await self._connection.request(kind, path, body, **keys)
        return f"{kind} {response.status}"


@asynccontextmanager
async def mixed(service: ServiceProcess, number: int) -> AsyncIterator[Mixed]:
    async with KeepAliveClient(service.port) as connection:
        yield Mixed(connection, number)


@asynccontextmanager
async def sessions_beside(url: str) -> AsyncIterator[None]:
    """For as long as the block lasts, use plain sessions and units of work that read their own
    writes; see that none failed."""
    engine = engine_for(url)
    storage = SqlStorage(engine_for(url, pool_size=2))
    over = asyncio.Event()

    async def use_sessions(number: int) -> None:
        statement = text(f"SELECT :value + {number}").bindparams(bindparam("value", 1))
        while not over.is_set():
            async with AsyncSession(engine) as session:
                assert await session.scalar(statement) == 1 + number
                assert await session.scalar(text("SELECT 1")) == 1
                await session.commit()
            await asyncio.sleep(PAUSE_SECONDS)

    async def read_own_writes() -> None:
        number = 1_000_000
        while not over.is_set():
            number += 1
            async with storage.units_of_work.for_writing() as unit:
                item = new_product(number)
                unit.products.add(item)
                assert await unit.products.get(item.id) == item
                unit.products.update(next_version(item))
                await unit.commit()
            await asyncio.sleep(PAUSE_SECONDS)

    work = [asyncio.create_task(use_sessions(number)) for number in range(3)]
    work.append(asyncio.create_task(read_own_writes()))
    try:
        yield
    finally:
        over.set()
        await asyncio.gather(*work)
        await storage.close()
        await engine.dispose()


async def test_a_session_sees_that_a_column_has_another_type(
    through_pgbouncer: str, postgresql_url: str
) -> None:
    await run(postgresql_url, "CREATE TABLE measured (value bigint)")
    engine = engine_for(through_pgbouncer, pool_size=1)
    try:
        await run(postgresql_url, "INSERT INTO measured VALUES (1)")
        for _ in range(2):
            async with AsyncSession(engine) as session:
                value = await session.scalar(text("SELECT value FROM measured"))
            assert repr(value) == "1"
        await run(postgresql_url, "ALTER TABLE measured ALTER value TYPE double precision")
        async with AsyncSession(engine) as session:
            assert await session.scalar(text("SELECT value FROM measured")) == 1.0
    finally:
        await engine.dispose()
        await run(postgresql_url, "DROP TABLE measured")


async def run(url: str, statement: str) -> None:
    await asyncio.to_thread(run_statement, url, statement)


@pytest.mark.parametrize(("parameters", "kept"), [("", 0), ("?statement_cache_size=100", 1)])
async def test_prepared_statements_are_cached_only_if_the_address_says_so(
    postgresql_url: str, parameters: str, kept: int
) -> None:
    """In session mode, or with `max_prepared_statements` (from PgBouncer 1.21 on), they may be."""
    with pgbouncer(postgresql_url, mode="session", connections=1) as url:
        engine = engine_for(f"{url}{parameters}", pool_size=1)
        async with engine.connect() as connection:
            of_session = text("SELECT count(*) FROM pg_prepared_statements WHERE from_sql = false")
            await connection.scalar(of_session)
            assert min(1, await connection.scalar(of_session) or 0) == kept
        await engine.dispose()


IGNORED = ", ".join(
    ["statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", *SERVER_SETTINGS]
)


@pytest.mark.parametrize("ignored", ["", IGNORED], ids=["rejected", "ignored"])
@pytest.mark.parametrize("of_role", ["0", "4s"])
async def test_a_missing_limit_of_statements_is_logged(
    empty_postgresql_url: str, ignored: str, of_role: str, caplog: pytest.LogCaptureFixture
) -> None:
    """PgBouncer rejects the limits, or ignores them; the role, here its database, may have some."""
    name = make_url(empty_postgresql_url).database
    await run(empty_postgresql_url, f"ALTER DATABASE {name} SET statement_timeout = '{of_role}'")
    settings = {"ignore_startup_parameters": ignored} if ignored else {}
    with pgbouncer(
        empty_postgresql_url, mode="transaction", connections=1, settings=settings
    ) as url:
        engine = engine_for(url)
        for _ in range(2):
            async with engine.connect() as connection:
                assert await connection.scalar(text("SHOW statement_timeout")) == of_role
            await engine.dispose()

    said = [record for record in caplog.records if "ALTER ROLE" in record.getMessage()]
    assert len(said) == (of_role == "0")


@pytest.mark.parametrize("mode", SERVER_CONNECTIONS)
async def test_migrations_run_through_it(empty_postgresql_url: str, mode: str) -> None:
    with pgbouncer(empty_postgresql_url, mode=mode, connections=3) as url:
        engine = engine_for(url)
        await asyncio.gather(*(migrate(engine) for _ in range(3)))
        assert await current_revision(engine) == head()
        await migrate_down(engine, "base")
        await migrate(engine)
        await engine.dispose()
