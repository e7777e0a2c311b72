"""A background task checks the readiness, and logs when it changes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from application.kernel.errors import StorageUnavailable
from entrypoints.kernel.background import background_task as module
from entrypoints.kernel.background import readiness
from entrypoints.kernel.background.background_task import background_task
from entrypoints.kernel.background.readiness import Readiness


class Storage:
    """A storage whose checks succeed or fail as the test says."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.responds = asyncio.Event()
        self.responds.set()
        self.checks = 0

    async def check(self) -> None:
        self.checks += 1
        await self.responds.wait()
        if self.error:
            raise self.error


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "CHECK_EVERY_SECONDS", 0.001)


@asynccontextmanager
async def checked(storage: Storage) -> AsyncIterator[Readiness]:
    ready = Readiness(storage.check)
    async with background_task(ready.keep_checking):
        yield ready


async def until(ready: Readiness, expected: bool) -> None:
    async with asyncio.timeout(10):
        while await ready.is_ready() is not expected:
            await asyncio.sleep(0.001)


async def test_the_first_response_is_waited_for() -> None:
    storage = Storage()
    storage.responds.clear()
    async with checked(storage) as ready:
        asking = asyncio.create_task(ready.is_ready())
        await asyncio.sleep(0.02)
        assert not asking.done()
        storage.responds.set()
        assert await asking


async def test_many_readiness_requests_are_no_load(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "CHECK_EVERY_SECONDS", 60)
    storage = Storage()
    async with checked(storage) as ready:
        assert all([await ready.is_ready() for _ in range(100)])
    assert storage.checks == 1


async def test_it_follows_the_storage_and_says_so_once(log_lines: list[Any]) -> None:
    storage = Storage()
    async with checked(storage) as ready:
        await until(ready, True)
        storage.error = StorageUnavailable("the database shuts down")
        await until(ready, False)
        checks = storage.checks
        while storage.checks < checks + 3:
            await asyncio.sleep(0.001)
        storage.error = None
        await until(ready, True)

    assert [(line["event"], line.get("reason")) for line in log_lines] == [
        ("not ready", "the database shuts down"),
        ("ready again", None),
    ]


async def test_no_request_waits_for_a_storage_that_does_not_respond(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(readiness, "CHECK_TIMEOUT_SECONDS", 0.01)
    storage = Storage()
    async with checked(storage) as ready:
        await until(ready, True)
        storage.responds.clear()
        await until(ready, False)
        storage.responds.set()
        await until(ready, True)


async def test_a_check_that_is_slow_to_end_delays_no_response(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(readiness, "CHECK_TIMEOUT_SECONDS", 0.01)
    ends = asyncio.Event()

    async def stubborn() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await ends.wait()

    ready = Readiness(stubborn)
    async with background_task(ready.keep_checking):
        async with asyncio.timeout(5):
            assert not await ready.is_ready()
        ends.set()


async def test_a_defect_of_the_check_does_not_show_its_text(log_lines: list[Any]) -> None:
    storage = Storage()
    storage.error = RuntimeError("hunter2")
    async with checked(storage) as ready:
        assert not await ready.is_ready()

    assert log_lines[0]["reason"] == "the check failed (RuntimeError)"


async def test_a_log_that_fails_stops_no_check(monkeypatch: pytest.MonkeyPatch) -> None:
    class FullDisk:
        def __getattr__(self, name: str) -> Any:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "RESTART_SECONDS", 0.001)
    monkeypatch.setattr(module, "_log", FullDisk())
    monkeypatch.setattr(readiness, "_log", FullDisk())
    storage = Storage()
    storage.error = StorageUnavailable("the database shuts down")
    async with checked(storage) as ready:
        await until(ready, False)
        storage.error = None
        await until(ready, True)
        storage.error = StorageUnavailable("the database shuts down")
        await until(ready, False)


async def test_a_background_task_that_fails_is_logged_and_restarted(
    monkeypatch: pytest.MonkeyPatch, log_lines: list[Any]
) -> None:
    monkeypatch.setattr(module, "RESTART_SECONDS", 0.001)
    runs = 0
    is_done = asyncio.Event()

    async def work() -> None:
        nonlocal runs
        runs += 1
        if runs < 3:
            raise RuntimeError("broken")
        is_done.set()

    async with background_task(work), asyncio.timeout(10):
        await is_done.wait()

    assert [line["event"] for line in log_lines] == [
        "a background task failed, and is restarted",
        "a background task failed, and is restarted",
    ]
