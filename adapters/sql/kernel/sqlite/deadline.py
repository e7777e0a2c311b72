"""SQLite has no timeout for statements: a progress handler interrupts them."""

import math
import sqlite3
import time
from typing import Any

from sqlalchemy import Connection, PoolProxiedConnection, event
from sqlalchemy.ext.asyncio import AsyncEngine

# A page of items takes some thousand of the virtual machine's instructions. Ten thousand take a
# tenth of a millisecond.
INSTRUCTIONS_BETWEEN_LOOKS = 10_000
_KEY = "deadline"


class SqliteDeadline:
    """When the connection's current use must end, for the driver's thread to look at."""

    def __init__(self) -> None:
        self._end = math.inf

    def set(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def has_passed(self) -> bool:
        return time.monotonic() > self._end


class DeadlineConnection(sqlite3.Connection):
    """A connection whose COMMIT and ROLLBACK are not interrupted.

    SQLite asks the progress handler once more at the end of a statement. What it interrupts there
    has been made all the same, and is reported as if it had not. A ROLLBACK comes when the time is
    over already, and one that is interrupted leaves the transaction to whatever comes next.
    """

    _handler: tuple[Any, int] = (None, 0)

    def set_progress_handler(self, handler: Any, /, n: int) -> None:
        self._handler = handler, n
        super().set_progress_handler(handler, n)

    def commit(self) -> None:
        super().set_progress_handler(None, 0)
        try:
            super().commit()
        finally:
            super().set_progress_handler(*self._handler)

    def rollback(self) -> None:
        super().set_progress_handler(None, 0)
        try:
            super().rollback()
        finally:
            super().set_progress_handler(*self._handler)


def interrupt_late_statements(engine: AsyncEngine, seconds: float) -> None:
    """Have SQLite interrupt what runs for so long after its connection was acquired."""

    @event.listens_for(engine.sync_engine, "connect")
    def watch(dbapi_connection: Any, record: Any) -> None:
        deadline = record.info[_KEY] = SqliteDeadline()
        dbapi_connection.run_async(
            lambda connection: connection.set_progress_handler(
                deadline.has_passed, INSTRUCTIONS_BETWEEN_LOOKS
            )
        )

    @event.listens_for(engine.sync_engine, "checkout")
    def begin(_dbapi: Any, record: Any, _pooled: PoolProxiedConnection) -> None:
        record.info[_KEY].set(seconds)


def allow_any_time(connection: Connection) -> None:
    """Let the connection's statements run for as long as they take, until it is released."""
    if _KEY in connection.info:
        connection.info[_KEY].set(math.inf)


def interrupt_now(connection: Connection) -> None:
    """Have the connection's present statement interrupted."""
    if _KEY in connection.info:
        connection.info[_KEY].set(-math.inf)
