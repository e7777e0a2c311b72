"""A connect that is cancelled, as by the end of the service, leaves no connection behind."""

import asyncio
import sqlite3
import threading

import pytest

from tests.kernel.database_settings import engine_for


async def test_a_sqlite_connection_that_opens_meanwhile_is_closed(
    sqlite_file_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From Python 3.13 on, one that is not closed gives a warning when it is forgotten."""
    opens, may_open = threading.Event(), threading.Event()
    closed: list[sqlite3.Connection] = []

    class Connection(sqlite3.Connection):
        def close(self) -> None:
            closed.append(self)
            super().close()

    def connect(*arguments: object, **options: object) -> sqlite3.Connection:
        opens.set()
        assert may_open.wait(10)
        return Connection(sqlite_file_url.partition("///")[2])

    engine = engine_for(sqlite_file_url)
    monkeypatch.setattr("aiosqlite.core.sqlite3.connect", connect)

    async def use() -> None:
        async with engine.connect():
            raise AssertionError("it was cancelled before")

    using = asyncio.create_task(use())
    assert await asyncio.to_thread(opens.wait, 10)
    using.cancel()
    await asyncio.sleep(0)
    may_open.set()
    with pytest.raises(asyncio.CancelledError):
        await using
    await engine.dispose()

    assert len(closed) == 1
