"""A gate that delays a commit, after the database has made it."""

import asyncio
import threading
from typing import Any

import asyncpg
import pytest

from adapters.sql.kernel.sqlite.deadline import DeadlineConnection

PATIENCE_SECONDS = 30
NO_COMMIT = ("SELECT", "BEGIN", "ROLLBACK")


class CommitGate:
    """Open at first. Closed, the next commit is made, `reached` is set, and its outcome gets
    through to its waiter only when the gate is open again."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._loop = asyncio.get_running_loop()
        self._is_closed = False
        self._open = threading.Event()
        self.reached = asyncio.Event()
        self._hold_up_sqlite(monkeypatch)
        self._hold_up_postgresql(monkeypatch)

    def close(self) -> None:
        self._is_closed = True
        self._open.clear()
        self.reached.clear()

    def open(self) -> None:
        self._is_closed = False
        self._open.set()

    def _hold_up_sqlite(self, monkeypatch: pytest.MonkeyPatch) -> None:
        commit = DeadlineConnection.commit

        def gated(connection: DeadlineConnection) -> None:
            commit(connection)
            if self._is_closed:
                self._loop.call_soon_threadsafe(self.reached.set)
                assert self._open.wait(PATIENCE_SECONDS)

        monkeypatch.setattr(DeadlineConnection, "commit", gated)

    def _hold_up_postgresql(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A statement outside a transaction is committed with its end, by `fetch`."""
        for name in ("fetch", "execute"):
            call = getattr(asyncpg.Connection, name)

            async def gated(connection: Any, sql: str, *values: Any, call: Any = call) -> Any:
                result = await call(connection, sql, *values)
                if (
                    self._is_closed
                    and not connection.is_in_transaction()
                    and not sql.startswith(NO_COMMIT)
                ):
                    self.reached.set()
                    await asyncio.Event().wait()
                return result

            monkeypatch.setattr(asyncpg.Connection, name, gated)
