"""How many connections of an engine's pool are in use, or kept for the next use."""

import asyncio

from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import QueuePool


def connections_in_use(engine: AsyncEngine) -> int:
    assert isinstance(engine.pool, QueuePool)
    return engine.pool.checkedout()


async def all_are_released(engine: AsyncEngine) -> bool:
    """Return whether all connections come back to the pool within a few seconds.

    The commit of a cancelled request may be under way for a moment, and `ConnectionQueue` keeps a
    released connection for another."""
    for _ in range(2000):
        if not connections_in_use(engine):
            return True
        await asyncio.sleep(0.001)
    return False
