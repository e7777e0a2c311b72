"""Connections of an engine's pool, lent for as long as one statement or transaction needs them."""

import asyncio
from collections import deque
from typing import cast

from sqlalchemy import PoolProxiedConnection, event
from sqlalchemy.exc import MissingGreenlet
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import QueuePool
from sqlalchemy.util import greenlet_spawn

from adapters.sql.driver_errors import translated
from application.errors import StorageUnavailable

QUEUE_LIMIT = 1000


class ConnectionLender:
    """Lends the connections of an engine's pool, which sessions share, in the order of asking.

    An idle connection is taken from the pool at once. Only who finds none waits, here and not
    in the pool, where waiting would cost a greenlet; and only who needs a new one pays for
    SQLAlchemy's way of connecting.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._waiting: deque[asyncio.Future[None]] = deque()
        # How many of those who waited were told that a connection is there, and have yet to
        # take it: newcomers must leave so many.
        self._promised = 0
        event.listen(engine.sync_engine, "checkin", lambda *_: self._wake_one())

    @property
    def connections(self) -> int:
        """The most connections that can be lent at a time."""
        return cast(QueuePool, self._engine.pool).size()

    async def lend(self) -> PoolProxiedConnection:
        """Return a connection, to be ended with `give_back`.

        Raises `StorageUnavailable` if too many wait already, if none becomes free within the
        pool's timeout, or if the database cannot be reached.
        """
        pool = cast(QueuePool, self._engine.pool)
        if pool.checkedin() <= self._promised and pool.overflow() >= 0:
            await self._turn(pool.timeout())
        if pool.checkedin():
            try:
                return pool.connect()
            except MissingGreenlet:
                pass  # it was thrown away while it was lent, and must be connected again
        try:
            return await greenlet_spawn(pool.connect)
        except BaseException as error:
            self._wake_one()
            if isinstance(error, Exception) and (meaning := translated(error)):
                raise StorageUnavailable(str(meaning)) from error
            raise

    async def _turn(self, seconds: float) -> None:
        if len(self._waiting) >= QUEUE_LIMIT:
            raise StorageUnavailable("too many wait for a connection to the database")
        loop = asyncio.get_running_loop()
        turn = loop.create_future()
        self._waiting.append(turn)
        timer = loop.call_later(seconds, _give_up, turn)
        try:
            await turn
        except BaseException:
            if turn.done() and not turn.cancelled() and not turn.exception():
                # Cancelled after it was promised a connection: the next one may have that.
                self._promised -= 1
                self._wake_one()
            raise
        finally:
            timer.cancel()
        self._promised -= 1

    def _wake_one(self) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                self._promised += 1
                turn.set_result(None)
                return


def give_back(lease: PoolProxiedConnection) -> None:
    """End a loan, unless the connection was invalidated, which ended it already."""
    if lease.is_valid:
        lease.close()


def _give_up(turn: "asyncio.Future[None]") -> None:
    if not turn.done():
        turn.set_exception(StorageUnavailable("no connection to the database became free in time"))
