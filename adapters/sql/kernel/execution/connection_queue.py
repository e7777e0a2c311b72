"""The connections of an engine's pool, each acquired for one statement or transaction."""

import asyncio
import time
from collections import deque
from contextlib import suppress
from typing import cast

from sqlalchemy import PoolProxiedConnection, event
from sqlalchemy.exc import MissingGreenlet
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import QueuePool
from sqlalchemy.util import greenlet_spawn

from adapters.sql.kernel.errors.driver_errors import cannot_connect
from application.kernel.errors import StorageUnavailable

QUEUE_LIMIT = 1000
LAST_USE = "last_use"
"""The key in a connection's `info` under which the time of its last release stands, in the seconds
of `time.monotonic()`."""

_Waiter = asyncio.Future[PoolProxiedConnection | None]


class NoConnectionFree(StorageUnavailable):
    """No connection became free in time."""


class ConnectionQueue:
    """A first-in, first-out queue for the connections of an engine's connection pool.

    Plain SQLAlchemy sessions use the same pool. `acquire` takes an idle connection from the pool at
    once. Only a caller that finds none waits, and it waits in this queue: in the pool, waiting
    would cost a greenlet and a timer. Only a caller that needs a new connection pays for the
    greenlet in which SQLAlchemy connects.

    Taking a connection from the pool and putting it back costs half as much as a statement. So a
    connection that is released within `keep_seconds` of leaving the pool stays out of the pool
    until then, for the next caller.

    A queue belongs to the event loop that it is created in.
    """

    def __init__(self, engine: AsyncEngine, keep_seconds: float = 0) -> None:
        self._engine = engine.sync_engine
        self._loop = asyncio.get_running_loop()
        self._keep_seconds = keep_seconds
        self._waiters: deque[_Waiter] = deque()
        # How many connections in the pool are reserved for callers that have not taken them yet:
        # new callers must leave so many.
        self._reserved = 0
        self._is_session_next = False
        self._kept: list[PoolProxiedConnection] = []
        # Until when each connection that is out of the pool may be kept.
        self._keep_until: dict[PoolProxiedConnection, float] = {}
        # Connections in use that must not be used again after their release.
        self._outdated: set[PoolProxiedConnection] = set()
        self._timer: asyncio.TimerHandle | None = None
        event.listen(self._engine, "checkin", lambda *_: self._on_checkin())

    @property
    def size(self) -> int:
        """The largest number of connections that can be in use at a time."""
        return self._pool.size()

    @property
    def timeout(self) -> float:
        """How long `acquire` waits for a connection, in seconds: the pool's timeout."""
        return self._pool.timeout()

    async def acquire(self, seconds: float | None = None) -> PoolProxiedConnection:
        """Return a connection. The caller must `release` or `discard` it.

        Raises `NoConnectionFree` if no connection becomes free within `seconds`, by default the
        pool's timeout; `StorageUnavailable` if too many callers are waiting already, or if the
        database cannot be reached.
        """
        if self._kept:
            return self._kept.pop()
        pool = self._pool
        is_exhausted = pool.checkedin() <= self._reserved and pool.overflow() >= 0
        if is_exhausted and (
            connection := await self._wait(self.timeout if seconds is None else seconds)
        ):
            return connection
        connection = await self._take()
        if self._keep_seconds:
            self._keep_until[connection] = time.monotonic() + self._keep_seconds
        return connection

    def release(self, connection: PoolProxiedConnection) -> None:
        """End the use of a connection: the next caller gets it, or else the pool."""
        if not connection.is_valid or connection in self._outdated:
            self.discard(connection)
            return
        connection.info[LAST_USE] = now = time.monotonic()
        if now >= self._keep_until.get(connection, 0):
            self._put_back(connection)
        elif waiter := self._next_waiter():
            waiter.set_result(connection)
        else:
            self._kept.append(connection)
            if self._timer is None:
                self._timer = self._loop.call_later(self._keep_seconds, self.close)

    def discard(self, connection: PoolProxiedConnection) -> None:
        """Close a connection instead of releasing it; the pool opens a new one when needed."""
        self._keep_until.pop(connection, None)
        self._outdated.discard(connection)
        if connection.is_valid:
            connection.invalidate()

    def discard_idle(self) -> None:
        """Close all connections that are not in use."""
        self.close()
        for _ in range(self._pool.checkedin()):
            # The pool raises it for an entry whose connection is closed already.
            with suppress(MissingGreenlet):
                self.discard(self._pool.connect())

    def replace_all(self) -> None:
        """Close all connections: idle ones now, those in use when they are released."""
        self.discard_idle()
        self._outdated.update(self._keep_until)

    def close(self) -> None:
        """Put the kept connections back into the pool."""
        while self._kept:
            self._put_back(self._kept.pop())
        if self._timer:
            self._timer.cancel()
            self._timer = None

    @property
    def _pool(self) -> QueuePool:
        return cast(QueuePool, self._engine.pool)

    async def _take(self) -> PoolProxiedConnection:
        """Take a connection from the pool, which opens a new one if it has none."""
        if self._pool.checkedin():
            try:
                return self._pool.connect()
            except MissingGreenlet:
                pass  # it was discarded while it was in use: the pool has to connect again
        try:
            return await greenlet_spawn(self._pool.connect)
        except BaseException as error:
            self._wake_one()
            if isinstance(error, StorageUnavailable) or not isinstance(error, Exception):
                raise
            if isinstance(error, PoolTimeoutError):
                raise NoConnectionFree(str(cannot_connect(error))) from error
            raise cannot_connect(error) from error

    def _put_back(self, connection: PoolProxiedConnection) -> None:
        self._keep_until.pop(connection, None)
        connection.close()

    async def _wait(self, seconds: float) -> PoolProxiedConnection | None:
        """Wait in the queue. Return a connection, or None if one in the pool is reserved."""
        if len(self._waiters) >= QUEUE_LIMIT:
            raise StorageUnavailable("too many callers wait for a connection to the database")
        waiter: _Waiter = self._loop.create_future()
        self._waiters.append(waiter)
        timer = self._loop.call_later(seconds, _time_out, waiter)
        try:
            connection = await waiter
        except BaseException:
            if waiter.cancelled() or waiter.exception():
                # A waiter that has gone must not count for QUEUE_LIMIT.
                with suppress(ValueError):
                    self._waiters.remove(waiter)
            # Cancelled after it got a connection or a reservation: pass that on.
            elif connection := waiter.result():
                self.release(connection)
            else:
                self._reserved -= 1
                self._wake_one()
            raise
        finally:
            timer.cancel()
        if connection is None:
            self._reserved -= 1
        return connection

    def _on_checkin(self) -> None:
        """Offer a connection that came back to the pool alternately to this queue and to the
        sessions that wait in the pool, so that neither starves the other."""
        self._is_session_next = not self._is_session_next
        if self._is_session_next:
            # A session that waits in the pool is woken in the loop's next iteration and takes the
            # connection in the one after that; if no session waits, this queue gets it.
            self._reserved += 1
            self._loop.call_soon(self._loop.call_soon, self._offer_to_queue)
        else:
            self._wake_one()

    def _offer_to_queue(self) -> None:
        self._reserved -= 1
        if self._pool.checkedin() > self._reserved:
            self._wake_one()

    def _wake_one(self) -> None:
        if waiter := self._next_waiter():
            self._reserved += 1
            waiter.set_result(None)

    def _next_waiter(self) -> _Waiter | None:
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                return waiter
        return None


def _time_out(waiter: _Waiter) -> None:
    if not waiter.done():
        waiter.set_exception(NoConnectionFree("no connection to the database became free in time"))
