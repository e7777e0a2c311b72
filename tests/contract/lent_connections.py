"""How many connections of an engine's pool are in use, or kept for who asks next."""

import asyncio

from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import QueuePool


def lent(engine: AsyncEngine) -> int:
    assert isinstance(engine.pool, QueuePool)
    return engine.pool.checkedout()


async def all_are_back(engine: AsyncEngine) -> bool:
    """A commit that nobody waits for any more may still be under way for a moment, and who lends
    connections keeps them for another."""
    for _ in range(2000):
        if not lent(engine):
            return True
        await asyncio.sleep(0.001)
    return False
