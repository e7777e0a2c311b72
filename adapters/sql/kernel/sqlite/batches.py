"""Batches: all statements that wait for a SQLite connection go to its thread together.

Passing work to a thread and back costs more than most statements, and so does a commit. So while
one batch is executed, new work queues up for the next batch. Under load a batch has all waiting
work; without load, work starts at once.
"""

import asyncio
import math
import sqlite3
import time
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar, cast

import aiosqlite
from sqlalchemy import PoolProxiedConnection

from adapters.sql.kernel.errors.driver_errors import meaning_of
from adapters.sql.kernel.execution.connection_queue import ConnectionQueue, NoConnectionFree
from adapters.sql.kernel.execution.statement_events import StatementEvents
from adapters.sql.kernel.sqlite.aiosqlite_thread import on_thread

HOLD_SECONDS = 0.02
"""How long one connection executes batch after batch, while a session may wait for it."""
LATE_SECONDS = 0.02
"""After how long the work that waits behind a batch gets another connection."""
_T = TypeVar("_T")


class Work:
    """The statements of one caller, and the error that they had on the thread."""

    __slots__ = ("done", "error", "statements", "until")

    # Set by `SqliteBatches.execute`: the future that its caller awaits, and until when it may wait
    # for a connection, in the event loop's time.
    done: "asyncio.Future[None]"
    until: float

    def __init__(self, statements: Sequence[tuple[str, Sequence[Any]]]) -> None:
        self.statements = statements
        self.error: Exception | None = None


_WorkT = TypeVar("_WorkT", bound=Work)


class SqliteBatches(Generic[_WorkT]):
    """Executes work in batches on an engine's connections, one batch per connection at a time.

    A second connection is used only if work waits behind a batch that takes long. `run` is called
    with a batch on a connection's thread. It stores the error of each work in it; an error that it
    raises is that of all the work in the batch.
    """

    def __init__(
        self,
        queue: ConnectionQueue,
        run: Callable[[sqlite3.Connection, list[_WorkT]], None],
        events: StatementEvents,
    ) -> None:
        self._queue = queue
        self._run = run
        self._events = events
        self._loop = asyncio.get_running_loop()
        self._waiting: list[_WorkT] = []
        self._runners: set[asyncio.Task[None]] = set()
        self._most_runners = queue.size
        # How many of the runners are executing a batch that takes long.
        self._late = 0

    async def execute(self, work: _WorkT) -> None:
        """Execute the work in the next batch; raise its error."""
        work.done = self._loop.create_future()
        work.until = self._loop.time() + self._queue.timeout
        self._waiting.append(work)
        self._start_runner()
        await work.done
        if work.error:
            raise work.error

    async def close(self) -> None:
        """Wait until no connection is in use."""
        if self._runners:
            await asyncio.wait(self._runners)

    def _start_runner(self) -> None:
        """Start a runner unless one is free soon: several threads slow each other down."""
        if len(self._runners) == self._late < self._most_runners:
            self._runners.add(self._loop.create_task(self._run_all()))

    async def _run_all(self) -> None:
        while self._waiting:
            try:
                connection = await self._queue.acquire(self._waiting[0].until - self._loop.time())
            except NoConnectionFree as error:
                # Only the oldest work has waited too long.
                self._fail_until(self._loop.time(), error)
            except Exception as error:
                self._fail_until(math.inf, error)
            else:
                try:
                    await self._run_batches(connection)
                finally:
                    self._queue.release(connection)
        # There is no await after the last check of `_waiting`: new work starts a new runner.
        self._runners.discard(cast("asyncio.Task[None]", asyncio.current_task()))

    async def _run_batches(self, connection: PoolProxiedConnection) -> None:
        """Execute batches on the connection while there is work, but not so long that sessions
        starve."""
        end = time.monotonic() + HOLD_SECONDS
        while self._waiting and time.monotonic() < end:
            await _all_have_arrived()
            if batch := self._next_batch():
                await self.run_batch(connection, batch)

    async def run_batch(self, connection: PoolProxiedConnection, batch: list[_WorkT]) -> None:
        """Execute a batch on the connection's thread."""
        is_late = False

        def set_late() -> None:
            nonlocal is_late
            is_late = True
            self._late += 1
            if self._waiting:
                self._start_runner()

        timer = self._loop.call_later(LATE_SECONDS, set_late)
        try:
            end_events = self._begin_events(connection, batch) if self._events.are_watched else None
            driver_connection = cast(aiosqlite.Connection, connection.driver_connection)
            await on_thread(driver_connection, lambda bare: self._run(bare, batch))
            if end_events:
                end_events()
        except Exception as error:
            fail_all(batch, error)
        finally:
            timer.cancel()
            self._late -= is_late
        _wake_all(batch)

    def _next_batch(self) -> list[_WorkT]:
        # Work whose caller was cancelled meanwhile is left out.
        batch = [work for work in self._waiting if not work.done.done()]
        self._waiting = []
        return batch

    def _fail_until(self, time: float, error: Exception) -> None:
        """Fail the work that waits for a connection until this time or less."""
        waiting = self._waiting
        batch = [work for work in self._next_batch() if work.until <= time]
        self._waiting = [work for work in waiting if work.until > time]
        fail_all(batch, error)
        _wake_all(batch)

    def _begin_events(
        self, connection: PoolProxiedConnection, batch: list[_WorkT]
    ) -> Callable[[], None]:
        """Call the listeners before the statements; return the function that calls them after
        these."""
        blocks = [
            (work, self._events.around(connection, sql, values))
            for work in batch
            for sql, values in work.statements
        ]
        for _, block in blocks:
            block.__enter__()

        def end() -> None:
            for work, block in reversed(blocks):
                error = work.error and (work.error.__cause__ or work.error)
                block.__exit__(type(error) if error else None, error, None)

        return end


def fail_all(batch: Sequence[Work], error: Exception) -> None:
    """Set the error on all work that has no error of its own."""
    for work in batch:
        work.error = work.error or cast(Exception, meaning_of(error))


def _wake_all(batch: Sequence[Work]) -> None:
    for work in batch:
        if not work.done.done():
            work.done.set_result(None)


async def _all_have_arrived() -> None:
    """Wait until the requests that have arrived by now have reached their statement: the event loop
    reads them in one iteration, and they get to their statement in the next."""
    await asyncio.sleep(0)
    await asyncio.sleep(0)
