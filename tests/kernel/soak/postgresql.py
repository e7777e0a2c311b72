"""PostgreSQL behind a faulty network: what can happen to it, and what may be left on it."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from random import Random
from typing import TYPE_CHECKING

import asyncpg

from tests.kernel.processes.postgresql_server import PostgresServer
from tests.kernel.processes.tcp_proxy import TcpProxy
from tests.kernel.soak.faults import Fault, again_and_again, at_once, between, blocking
from tests.kernel.soak.plan import POOL_SIZE
from tests.kernel.soak.worker import KEY

if TYPE_CHECKING:
    _Connection = asyncpg.Connection[asyncpg.Record]

DELAY = 0.2
BIND = b"B"
# One is kept besides the pool, to look at the server's health.
MOST_CONNECTIONS = POOL_SIZE + 1
OTHERS = (
    "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
    "AND backend_type = 'client backend'"
)


class PostgresqlBehindProxy:
    def __init__(self, server: PostgresServer, proxy: TcpProxy, chance: Random) -> None:
        self.url = server.url(port=proxy.port)
        self._server = server
        self._proxy = proxy
        self._chance = chance

    def faults(self) -> Mapping[str, Fault]:
        server, proxy = self._server, self._proxy
        resume = blocking(server.resume)
        return {
            "server killed": partial(between, blocking(server.kill), resume),
            "server stopped fast": partial(between, blocking(server.stop, "fast"), resume),
            "server stopped at once": partial(between, blocking(server.stop, "immediate"), resume),
            "server frozen": partial(between, blocking(server.freeze), blocking(server.thaw)),
            "connections cut": partial(again_and_again, at_once(proxy.cut)),
            "network refuses": partial(between, self._refuse, proxy.accept),
            "network a black hole": partial(
                between, at_once(proxy.black_hole), at_once(proxy.flow)
            ),
            "network slow": partial(between, at_once(proxy.delay, DELAY), at_once(proxy.delay, 0)),
            "responses lost": self._responses_lost,
            "backends terminated": partial(again_and_again, self._terminate),
            "table locked": self._locked,
        }

    async def leaks(self) -> list[str]:
        async with self._connection() as connection:
            others = await connection.fetch(f"SELECT state, wait_event_type, query {OTHERS}")
        leaked = [f"{dict(other)}" for other in others if other["state"] != "idle"]
        if len(others) > MOST_CONNECTIONS:
            leaked.append(f"{len(others)} connections to the server")
        return leaked

    async def _refuse(self) -> None:
        self._proxy.refuse()
        self._proxy.cut()

    async def _responses_lost(self, seconds: float) -> None:
        async def lose_one() -> None:
            # A change is one statement, which binds its Idempotency-Key; COMMIT is not sent.
            await self._proxy.drop_next_response(_is_change).wait()

        try:
            await again_and_again(lose_one, seconds)
        finally:
            self._proxy.drop_next_response(lambda _message: False)

    async def _terminate(self) -> None:
        async with self._connection() as connection:
            await connection.execute(f"SELECT pg_terminate_backend(pid) {OTHERS}")

    async def _locked(self, seconds: float) -> None:
        table = self._chance.choice(["products", "idempotency_records"])
        async with self._connection() as connection, connection.transaction():
            await connection.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
            await asyncio.sleep(seconds)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator["_Connection"]:
        """Connect past the proxy."""
        connection = await asyncpg.connect(self._server.url(driver="postgresql"))
        try:
            yield connection
        finally:
            await connection.close()


@asynccontextmanager
async def behind_proxy(
    server: PostgresServer, chance: Random
) -> AsyncIterator[PostgresqlBehindProxy]:
    async with TcpProxy(server.host, server.port) as proxy:
        yield PostgresqlBehindProxy(server, proxy, chance)


def _is_change(message: bytes) -> bool:
    return message[:1] == BIND and KEY.encode() in message
