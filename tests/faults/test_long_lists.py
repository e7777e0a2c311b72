"""Whoever reads a long list from end to end keeps nobody waiting.

Taken out, the largest limit (`entrypoints/http/example_items.py`) lets one request read, and the
process write, all that there is; taken out, the bound in the statement that reads a page
(`adapters/sql/example_item_repository.py`) does the same within.
"""

import asyncio
import re
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing

import pytest
from sqlalchemy import make_url

from tests.faults.keep_alive_client import KeepAliveClient
from tests.faults.running import on_both_databases, service_on
from tests.integration.service import ITEMS
from tests.postgresql_databases import run_statement
from tests.processes.service_process import ServiceProcess

ROWS = 200_000
READERS_OF_ALL = 4
SECONDS = 1.0
LONGEST_WAIT_SECONDS = 0.1
ATTEMPTS = 3

# Copies of the one item, under ids that count up.
COPIED = "name, description, version, created_at, updated_at"
REST_OF_ID = "70008000000000000000"
ON_POSTGRESQL = f"""
    INSERT INTO example_items (id, {COPIED})
    SELECT (lpad(to_hex(n), 12, '0') || '{REST_OF_ID}')::uuid, {COPIED}
    FROM example_items CROSS JOIN generate_series(2, {ROWS}) AS n
"""
ON_SQLITE = f"""
    WITH RECURSIVE numbers (n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM numbers WHERE n < {ROWS})
    INSERT INTO example_items (id, {COPIED})
    SELECT printf('%012x{REST_OF_ID}', n), {COPIED} FROM numbers CROSS JOIN example_items
"""


def fill(url: str) -> None:
    """Make many items of one."""
    if url.startswith("postgresql"):
        run_statement(url, ON_POSTGRESQL)
        run_statement(url, "VACUUM ANALYZE example_items")
    else:
        with closing(sqlite3.connect(str(make_url(url).database))) as connection, connection:
            connection.execute(ON_SQLITE)


@asynccontextmanager
async def many_items(url: str) -> AsyncIterator[tuple[ServiceProcess, str]]:
    """Run the service on a database with many items, and lend it with the address of one."""
    async with service_on(url) as service:
        async with KeepAliveClient(service.port) as client:
            item = {"name": "lamp", "description": "It shines."}
            path = (await client.request("POST", content=item)).headers["location"]
        await asyncio.to_thread(fill, url)
        yield service, path


async def read_all(service: ServiceProcess, read: list[str]) -> None:
    """Go from page to page, and at the end begin again; note each page's address."""
    first = page = f"{ITEMS}/?limit=200"
    async with KeepAliveClient(service.port) as client:
        while True:
            answer = await client.request("GET", page)
            assert answer.status == 200
            read.append(page)
            following = re.match("<(.*?)>", answer.headers.get("link", ""))
            page = following[1] if following else first


async def longest_wait(service: ServiceProcess, path: str) -> float:
    """Ask for a while, again and again, and return how many seconds the slowest answer took."""
    longest = 0.0
    end = time.monotonic() + SECONDS
    async with KeepAliveClient(service.port) as client:
        while time.monotonic() < end:
            began = time.monotonic()
            assert (await client.request("GET", path)).status == 200
            longest = max(longest, time.monotonic() - began)
            await asyncio.sleep(0.005)
    return longest


@pytest.mark.slow
@on_both_databases
async def test_who_reads_all_keeps_nobody_waiting(fault_url: str) -> None:
    async with many_items(fault_url) as (service, path):
        pages: list[str] = []
        readers = [asyncio.create_task(read_all(service, pages)) for _ in range(READERS_OF_ALL)]
        # The best of some attempts: where others use the machine too, any answer may be late.
        waits = []
        for _ in range(ATTEMPTS):
            asked = (path, path, "/health/live")
            waits.append(
                max(await asyncio.gather(*(longest_wait(service, each) for each in asked)))
            )
            if waits[-1] < LONGEST_WAIT_SECONDS:
                break
        for reader in readers:
            assert not reader.done()
            reader.cancel()
        await asyncio.gather(*readers, return_exceptions=True)

        async with KeepAliveClient(service.port) as client:
            for limit in (201, ROWS):
                assert (await client.request("GET", f"{ITEMS}?limit={limit}")).status == 422
            assert len((await client.request("GET")).json()) == 50

    assert len(pages) > 50
    assert min(waits) < LONGEST_WAIT_SECONDS, waits
