"""The checks while the service gets no requests."""

import asyncio
from collections.abc import Awaitable, Callable

from adapters.sql.kernel.engine import SQLITE_READERS
from tests.kernel.faults.keep_alive_client import KeepAliveClient
from tests.kernel.integration.service import PRODUCTS
from tests.kernel.soak.lives import Lives

BURST = 50
SETTLE_SECONDS = 10.0
# A connection to look at the database's health may have been made meanwhile, and the readers of
# SQLite that a slow moment asked for: each holds the file and its write-ahead log.
MORE_FILES = 1 + 2 * SQLITE_READERS

Look = Callable[[], Awaitable[list[str]]]


async def burst(lives: Lives) -> list[str]:
    """Ask so much at once that every connection of the pool is needed; return what went wrong."""

    async def ask() -> int:
        async with KeepAliveClient(lives.port) as client:
            return (await client.request("GET", PRODUCTS)).status

    statuses = await asyncio.gather(*(ask() for _ in range(BURST)), return_exceptions=True)
    return [f"in a burst of GET: {status!r}" for status in statuses if status != 200]


async def settled_files(lives: Lives) -> int:
    """Return how many files and sockets the service has open when the number stands still."""
    number, before = len(lives.service.open_files()), -1
    while number != before:
        await asyncio.sleep(1)
        number, before = len(lives.service.open_files()), number
    return number


async def left_over(lives: Lives, look: Look, files_before: int) -> list[str]:
    """Return what is still left after a while in which it may go."""

    async def look_everywhere() -> list[str]:
        files = lives.service.open_files()
        more = len(files) > files_before + MORE_FILES
        leaked = [f"{files_before} files were open, now {sorted(files)}"] if more else []
        return leaked + await look()

    deadline = asyncio.get_running_loop().time() + SETTLE_SECONDS
    while left := await look_everywhere():
        if asyncio.get_running_loop().time() > deadline:
            break
        await asyncio.sleep(0.5)
    return left
