"""Connections of an engine's pool, lent for as long as one statement or transaction needs them."""

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
"""Under this name a connection's `info` tells when it was given back last: `time.monotonic()`."""

_Turn = asyncio.Future[PoolProxiedConnection | None]


class NoConnectionFree(StorageUnavailable):
    """No connection became free in time."""


class ConnectionLender:
    """Lends the connections of an engine's pool, which sessions share, in the order of asking.

    An idle connection is taken from the pool at once. Only who finds none waits, here and not
    in the pool, where waiting would cost a greenlet and a timer; and only who needs a new one pays
    for SQLAlchemy's way of connecting.

    It belongs to the event loop that it is made in.

    To take a connection from the pool and to put it back costs as much as half a statement. So one
    that comes back within `keep_seconds` of being taken is kept until then, for who asks next.
    """

    def __init__(self, engine: AsyncEngine, keep_seconds: float = 0) -> None:
        self._engine = engine
        self._loop = asyncio.get_running_loop()
        self._keep_seconds = keep_seconds
        self._waiting: deque[_Turn] = deque()
        # How many connections in the pool are for somebody who has yet to take one: newcomers must
        # leave so many.
        self._promised = 0
        self._is_turn_of_sessions = False
        self._kept: list[PoolProxiedConnection] = []
        # Until when each connection that is out of the pool may be kept.
        self._until: dict[PoolProxiedConnection, float] = {}
        # Those that are not to be lent again.
        self._outdated: set[PoolProxiedConnection] = set()
        self._timer: asyncio.TimerHandle | None = None
        event.listen(engine.sync_engine, "checkin", lambda *_: self._came_back())

    @property
    def connections(self) -> int:
        """The most connections that can be lent at a time."""
        return self._pool.size()

    @property
    def patience(self) -> float:
        """How long to wait for a connection, in seconds: the pool's timeout."""
        return self._pool.timeout()

    async def lend(self, seconds: float | None = None) -> PoolProxiedConnection:
        """Return a connection, to be ended with `give_back`.

        Raises `NoConnectionFree` if none becomes free within `seconds`, the pool's timeout by
        default; `StorageUnavailable` if too many wait already, or if the database cannot be
        reached.
        """
        if self._kept:
            return self._kept.pop()
        pool = self._pool
        is_exhausted = pool.checkedin() <= self._promised and pool.overflow() >= 0
        if is_exhausted and (
            lease := await self._turn(self.patience if seconds is None else seconds)
        ):
            return lease
        lease = await self._take()
        if self._keep_seconds:
            self._until[lease] = time.monotonic() + self._keep_seconds
        return lease

    def give_back(self, lease: PoolProxiedConnection) -> None:
        """End a loan."""
        if not lease.is_valid or lease in self._outdated:
            self.throw_away(lease)
            return
        lease.info[LAST_USE] = now = time.monotonic()
        if now >= self._until.get(lease, 0):
            self._put_back(lease)
        elif turn := self._next_turn():
            turn.set_result(lease)
        else:
            self._kept.append(lease)
            if self._timer is None:
                self._timer = self._loop.call_later(self._keep_seconds, self.close)

    def throw_away(self, lease: PoolProxiedConnection) -> None:
        """End a loan, and let the pool connect anew."""
        self._until.pop(lease, None)
        self._outdated.discard(lease)
        if lease.is_valid:
            lease.invalidate()

    def throw_away_idle(self) -> None:
        """Close all connections that are not in use."""
        self.close()
        for _ in range(self._pool.checkedin()):
            # It is missing where the connection was thrown away already.
            with suppress(MissingGreenlet):
                self.throw_away(self._pool.connect())

    def replace_all(self) -> None:
        """Close all connections, those in use as soon as they are given back."""
        self.throw_away_idle()
        self._outdated.update(self._until)

    def close(self) -> None:
        """Put back what was kept."""
        while self._kept:
            self._put_back(self._kept.pop())
        if self._timer:
            self._timer.cancel()
            self._timer = None

    @property
    def _pool(self) -> QueuePool:
        return cast(QueuePool, self._engine.pool)

    async def _take(self) -> PoolProxiedConnection:
        if self._pool.checkedin():
            try:
                return self._pool.connect()
            except MissingGreenlet:
                pass  # it was thrown away while it was lent, and must be connected again
        try:
            return await greenlet_spawn(self._pool.connect)
        except BaseException as error:
            self._wake_one()
            if isinstance(error, StorageUnavailable) or not isinstance(error, Exception):
                raise
            if isinstance(error, PoolTimeoutError):
                raise NoConnectionFree(str(cannot_connect(error))) from error
            raise cannot_connect(error) from error

    def _put_back(self, lease: PoolProxiedConnection) -> None:
        self._until.pop(lease, None)
        lease.close()

    async def _turn(self, seconds: float) -> PoolProxiedConnection | None:
        """Wait for one's turn; return a connection, or None if there is one in the pool."""
        if len(self._waiting) >= QUEUE_LIMIT:
            raise StorageUnavailable("too many wait for a connection to the database")
        turn: _Turn = self._loop.create_future()
        self._waiting.append(turn)
        timer = self._loop.call_later(seconds, _give_up, turn)
        try:
            lease = await turn
        except BaseException:
            if turn.cancelled() or turn.exception():
                # Nobody may be refused for the number of those who have gone.
                with suppress(ValueError):
                    self._waiting.remove(turn)
            # Cancelled after it was given or promised one: the next may have that.
            elif lease := turn.result():
                self.give_back(lease)
            else:
                self._promised -= 1
                self._wake_one()
            raise
        finally:
            timer.cancel()
        if lease is None:
            self._promised -= 1
        return lease

    def _came_back(self) -> None:
        """Offer what came back to the pool to who waits here and to sessions in turn."""
        self._is_turn_of_sessions = not self._is_turn_of_sessions
        if self._is_turn_of_sessions:
            # One that waits in the pool is told so when the loop comes round, and takes it then.
            self._promised += 1
            self._loop.call_soon(self._loop.call_soon, self._offer_here)
        else:
            self._wake_one()

    def _offer_here(self) -> None:
        self._promised -= 1
        if self._pool.checkedin() > self._promised:
            self._wake_one()

    def _wake_one(self) -> None:
        if turn := self._next_turn():
            self._promised += 1
            turn.set_result(None)

    def _next_turn(self) -> _Turn | None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                return turn
        return None


def _give_up(turn: _Turn) -> None:
    if not turn.done():
        turn.set_exception(NoConnectionFree("no connection to the database became free in time"))
