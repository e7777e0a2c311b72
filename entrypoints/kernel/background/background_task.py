"""Background tasks: work that runs beside the requests."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import structlog

RESTART_SECONDS = 1.0

_log = structlog.get_logger("entrypoints.http")


@asynccontextmanager
async def background_task(work: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """Run the work in the background while the block runs, and cancel it at the end of the block.

    If the work raises, the error is logged and the work is restarted after a pause. Otherwise the
    work would stop and nothing would show that it did.
    """
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
            with suppress(Exception):  # the log may be what failed
                _log.exception("a background task failed, and is restarted")
        else:
            return
        await asyncio.sleep(RESTART_SECONDS)
