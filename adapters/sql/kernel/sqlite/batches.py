"""Everything that waits for a SQLite connection goes to its thread together.

Handing work to a thread and back costs more than most statements, and so does a commit. So while
one batch runs the next one gathers, and before it goes, whoever has arrived joins it: under load a
batch is as large as there are waiters, and a lone waiter waits for nobody.
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
"""How long batch after batch may have the same connection, for which a session may wait."""
LATE_SECONDS = 0.02
"""After how long those that wait for a batch get another connection."""
_T = TypeVar("_T")


class Work:
    """What waits: the statements, and what went wrong with them on the thread."""

    __slots__ = ("done", "error", "statements", "until")

    # From the moment that it is given to `SqliteBatches`: its waiter, and how long that one waits
    # for a connection, in the event loop's time.
    done: "asyncio.Future[None]"
    until: float

    def __init__(self, statements: Sequence[tuple[str, Sequence[Any]]]) -> None:
        self.statements = statements
        self.error: Exception | None = None


_WorkT = TypeVar("_WorkT", bound=Work)


class SqliteBatches(Generic[_WorkT]):
    """Runs work in batches on an engine's connections, each of which takes one batch at a time. A
    second connection is for what waits while a batch takes long.

    `run` gets a batch on a connection's thread and leaves each work's error with it; what it
    raises is the error of all.
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
        # How many of the runners have a batch that takes long.
        self._late = 0

    async def done(self, work: _WorkT) -> None:
        """Return when the work is done; raise what became of it instead."""
        work.done = self._loop.create_future()
        work.until = self._loop.time() + self._queue.timeout
        self._waiting.append(work)
        self._start_runner()
        await work.done
        if work.error:
            raise work.error

    async def close(self) -> None:
        """Return when no connection is in use."""
        if self._runners:
            await asyncio.wait(self._runners)

    def _start_runner(self) -> None:
        """Start one, unless another will soon be free: threads get into each other's way."""
        if len(self._runners) == self._late < self._most_runners:
            self._runners.add(self._loop.create_task(self._run_all()))

    async def _run_all(self) -> None:
        while self._waiting:
            try:
                connection = await self._queue.acquire(self._waiting[0].until - self._loop.time())
            except NoConnectionFree as error:
                # Only the time of the first ones is over.
                self._fail_until(self._loop.time(), error)
            except Exception as error:
                self._fail_until(math.inf, error)
            else:
                try:
                    await self._run_batches(connection)
                finally:
                    self._queue.release(connection)
        # Nothing awaits since the last look, so that whoever comes next starts a new runner.
        self._runners.discard(cast("asyncio.Task[None]", asyncio.current_task()))

    async def _run_batches(self, connection: PoolProxiedConnection) -> None:
        """Use the connection while there is work, but not for so long that sessions starve."""
        end = time.monotonic() + HOLD_SECONDS
        while self._waiting and time.monotonic() < end:
            await _all_are_here()
            if batch := self._next_batch():
                await self.run_batch(connection, batch)

    async def run_batch(self, connection: PoolProxiedConnection, batch: list[_WorkT]) -> None:
        """Run a batch on the connection's thread."""
        is_late = False

        def be_late() -> None:
            nonlocal is_late
            is_late = True
            self._late += 1
            if self._waiting:
                self._start_runner()

        timer = self._loop.call_later(LATE_SECONDS, be_late)
        try:
            tell = self._watch(connection, batch) if self._events.are_watched else None
            driver_connection = cast(aiosqlite.Connection, connection.driver_connection)
            await on_thread(driver_connection, lambda bare: self._run(bare, batch))
            if tell:
                tell()
        except Exception as error:
            fail_all(batch, error)
        finally:
            timer.cancel()
            self._late -= is_late
        _tell_all(batch)

    def _next_batch(self) -> list[_WorkT]:
        # Work whose waiter went away before its turn is left out.
        batch = [work for work in self._waiting if not work.done.done()]
        self._waiting = []
        return batch

    def _fail_until(self, time: float, error: Exception) -> None:
        """Fail the work that waits for a connection no longer than until then."""
        waiting = self._waiting
        batch = [work for work in self._next_batch() if work.until <= time]
        self._waiting = [work for work in waiting if work.until > time]
        fail_all(batch, error)
        _tell_all(batch)

    def _watch(self, connection: PoolProxiedConnection, batch: list[_WorkT]) -> Callable[[], None]:
        """Tell the listeners of the statements; return what tells them how these ended."""
        blocks = [
            (work, self._events.around(connection, sql, values))
            for work in batch
            for sql, values in work.statements
        ]
        for _, block in blocks:
            block.__enter__()

        def tell() -> None:
            for work, block in reversed(blocks):
                error = work.error and (work.error.__cause__ or work.error)
                block.__exit__(type(error) if error else None, error, None)

        return tell


def fail_all(batch: Sequence[Work], error: Exception) -> None:
    """Make the error that of all work which has none of its own."""
    for work in batch:
        work.error = work.error or cast(Exception, meaning_of(error))


def _tell_all(batch: Sequence[Work]) -> None:
    for work in batch:
        if not work.done.done():
            work.done.set_result(None)


async def _all_are_here() -> None:
    """Return when the requests that had arrived by now are here: in one turn of the event loop they
    are read, and in the next one they come to their statement."""
    await asyncio.sleep(0)
    await asyncio.sleep(0)
