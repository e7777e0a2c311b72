"""Background tasks: work that goes on beside the requests."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import structlog

RESTART_SECONDS = 1.0

_log = structlog.get_logger("entrypoints.http")


@asynccontextmanager
async def beside_requests(work: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """Do the work while the block lasts, and cancel it then. Work that fails is logged, and begun
    again after a moment: nothing else would show that it is not done any more."""
    task = asyncio.create_task(_restarting(work))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _restarting(work: Callable[[], Awaitable[None]]) -> None:
    while True:
        try:
            await work()
        except Exception:
            with suppress(Exception):  # that of the log may be what the work failed with
                _log.exception("a background task failed, and is restarted")
        else:
            return
        await asyncio.sleep(RESTART_SECONDS)
