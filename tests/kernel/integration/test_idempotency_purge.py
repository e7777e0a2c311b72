"""A background task removes expired idempotency records while the app runs."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

import entrypoints.kernel.background.idempotency_purge
from application.kernel.errors import StorageUnavailable
from tests.kernel.fixed_clock import FixedClock
from tests.kernel.integration.failing_units_of_work import FailingUnitsOfWork
from tests.kernel.integration.service import PRODUCTS, client_of, settings_for
from tests.kernel.warehouse.app import create_app

DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entrypoints.kernel.background.idempotency_purge, "INTERVAL_SECONDS", 0.01)


async def create_with_key(client: httpx.AsyncClient, key: str) -> None:
    response = await client.post(PRODUCTS, json={"name": "lamp"}, headers={"Idempotency-Key": key})
    assert response.status_code == 201


async def has_receipt(app: FastAPI, key: str) -> bool:
    async with app.state.container.units_of_work().for_reading() as unit:
        return await unit.idempotency_records.find(key) is not None


async def eventually(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(10):
        while not await condition():
            await asyncio.sleep(0.01)


async def test_the_expired_are_removed_and_no_others(storage_url: str) -> None:
    clock = FixedClock()
    app = create_app(settings_for(storage_url), clock=clock)
    async with client_of(app) as client:
        await create_with_key(client, "old")
        clock.time += DAY / 2
        await create_with_key(client, "new")
        assert await has_receipt(app, "old")
        clock.time += DAY / 2

        async def is_gone() -> bool:
            return not await has_receipt(app, "old")

        await eventually(is_gone)

        assert await has_receipt(app, "new")
        assert len((await client.get(PRODUCTS)).json()) == 2


async def test_a_failed_purge_is_logged_in_one_line_and_retried(
    log_lines: list[Any],
) -> None:
    clock, units = FixedClock(), FailingUnitsOfWork()
    app = create_app(settings_for("memory://"), clock=clock, units_of_work=units)
    async with client_of(app) as client:
        await create_with_key(client, "old")
        units.on_commit = StorageUnavailable("hunter2")
        clock.time += DAY

        async def is_logged() -> bool:
            return any("expired" in line["event"] for line in log_lines)

        await eventually(is_logged)
        units.on_commit = None

        async def is_gone() -> bool:
            return not await has_receipt(app, "old")

        await eventually(is_gone)

    logged = [line for line in log_lines if "expired" in line["event"]]
    assert logged[0] == {
        "event": "expired idempotency records were not removed",
        "error": "StorageUnavailable",
        "log_level": "warning",
    }
    assert "hunter2" not in str(log_lines)


async def test_it_ends_with_the_app(storage_url: str) -> None:
    before = asyncio.all_tasks()
    async with client_of(create_app(settings_for(storage_url))):
        await asyncio.sleep(0.05)
        assert asyncio.all_tasks() > before

    assert asyncio.all_tasks() == before
