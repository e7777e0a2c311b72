"""Several processes on one database: each can start, and none is locked out.

Without `BEGIN IMMEDIATE` and SQLite's busy timeout, writers fail with "database is locked". Without
the wait in `_switch_to_wal` and the lock of the migration
(`adapters/sql/kernel/migration/migrate.py`), processes die at the start.
"""

import asyncio

import pytest

from tests.kernel.faults.running import all_items, create_until, service_on


async def test_two_workers_write_one_sqlite_file(sqlite_file_url: str) -> None:
    async with service_on(sqlite_file_url, APP_WORKERS="2") as service:
        responses = await create_until(service, {201}, seconds=1.0, clients=16)
        kept = {item["id"] for item in await all_items(service)}
    assert kept == {response.json()["id"] for response in responses}
    assert "locked" not in service.log


@pytest.mark.parametrize(
    "_repetition", [0, *(pytest.param(number, marks=pytest.mark.slow) for number in range(1, 15))]
)
async def test_four_start_at_once_on_an_empty_file(sqlite_file_url: str, _repetition: int) -> None:
    services = [service_on(sqlite_file_url) for _ in range(4)]
    started = await asyncio.gather(
        *(service.start() for service in services), return_exceptions=True
    )
    for service in services:
        await service.close()
    assert started == [None] * 4


async def test_four_workers_start_at_once_on_an_empty_file(sqlite_file_url: str) -> None:
    async with service_on(sqlite_file_url, APP_WORKERS="4") as service:
        assert await create_until(service, {201}, seconds=0.5)
    assert service.log.count("Application startup complete") == 4
