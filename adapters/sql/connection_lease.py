"""A connection of an engine's pool, lent for as long as one statement or transaction needs it."""

from sqlalchemy import PoolProxiedConnection
from sqlalchemy.exc import MissingGreenlet
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import QueuePool
from sqlalchemy.util import greenlet_spawn

from adapters.sql.driver_errors import translated
from application.errors import StorageUnavailable


async def lend(engine: AsyncEngine) -> PoolProxiedConnection:
    """Return a connection, to be given back with `give_back`.

    Raises `StorageUnavailable` if none becomes free in time or the server cannot be reached.
    """
    pool = engine.pool
    if isinstance(pool, QueuePool) and pool.checkedin():
        try:
            # An idle connection is handed over without waiting, so no greenlet is needed.
            return pool.connect()
        except MissingGreenlet:
            pass  # it was thrown away while it was lent, and must be connected again
    try:
        return await greenlet_spawn(pool.connect)
    except Exception as error:
        if meaning := translated(error):
            raise StorageUnavailable(str(meaning)) from error
        raise


def give_back(lease: PoolProxiedConnection) -> None:
    """End the loan, unless the connection was invalidated, which ended it already."""
    if lease.is_valid:
        lease.close()
