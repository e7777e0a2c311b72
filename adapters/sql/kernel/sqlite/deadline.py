"""The statement timeout on SQLite, which has none of its own: a progress handler interrupts
them."""

import math
import sqlite3
import time
from typing import Any

from sqlalchemy import Connection, PoolProxiedConnection, event
from sqlalchemy.ext.asyncio import AsyncEngine

# Reading a page of 50 rows takes some thousand instructions of SQLite's virtual machine; ten
# thousand take 0.1 ms.
INSTRUCTIONS_BETWEEN_LOOKS = 10_000
_KEY = "deadline"


class SqliteDeadline:
    """When the connection's current use must end. The driver's thread reads it."""

    def __init__(self) -> None:
        self._end = math.inf

    def set(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def has_passed(self) -> bool:
        return time.monotonic() > self._end


class DeadlineConnection(sqlite3.Connection):
    """A connection whose COMMIT and ROLLBACK are not interrupted.

    SQLite calls the progress handler once more at the end of a statement. A COMMIT that is
    interrupted there has been made, but is reported as failed. A ROLLBACK comes when the time is
    already over; if it were interrupted, the next user of the connection would be in the old
    transaction.
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
    """Interrupt statements that still run so many seconds after their connection was acquired."""

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
    """Switch the timeout off for the connection's statements until it is released."""
    if _KEY in connection.info:
        connection.info[_KEY].set(math.inf)


def interrupt_now(connection: Connection) -> None:
    """Interrupt the connection's current statement."""
    if _KEY in connection.info:
        connection.info[_KEY].set(-math.inf)
