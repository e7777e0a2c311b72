import asyncio
from pathlib import Path

import asyncpg
import pytest

from benchmarks.counting_proxy import CountingProxy
from tests.kernel.processes.postgresql_server import PostgresServer

pytestmark = pytest.mark.slow


def test_counts_statements_and_round_trips(tmp_path: Path) -> None:
    with PostgresServer.start() as server, CountingProxy(server.port) as proxy:
        asyncio.run(ask(server.url(driver="postgresql", port=proxy.port), proxy))


async def ask(url: str, proxy: CountingProxy) -> None:
    connection = await asyncpg.connect(url)

    async def count(statement: str) -> tuple[int, int]:
        await connection.fetchrow(statement)  # prepares it
        statements, round_trips = proxy.statements, proxy.round_trips
        await connection.fetchrow(statement)
        return proxy.statements - statements, proxy.round_trips - round_trips

    assert await count("SELECT 1") == (1, 1)
    before = proxy.statements, proxy.round_trips
    async with connection.transaction():
        await connection.execute("SELECT 1; SELECT 2")
    assert (proxy.statements - before[0], proxy.round_trips - before[1]) == (4, 3)
    await connection.close()
