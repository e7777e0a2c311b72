"""Removing the receipts of idempotency keys that have expired, beside the requests."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import structlog

from application.idempotency import Idempotency

INTERVAL_SECONDS = 60.0
# Between two batches, so that requests get their turns.
PAUSE_SECONDS = 0.1

_log = structlog.get_logger("entrypoints.http")


@asynccontextmanager
async def purging(idempotency: Idempotency) -> AsyncIterator[None]:
    """Purge now and then while the block lasts. Several processes may do so side by side."""
    task = asyncio.create_task(_purge_for_ever(idempotency))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _purge_for_ever(idempotency: Idempotency) -> None:
    while True:
        await asyncio.sleep(INTERVAL_SECONDS)
        try:
            while await idempotency.purge():  # noqa: ASYNC110 -- it is no event but work
                await asyncio.sleep(PAUSE_SECONDS)
        except Exception as error:
            # They are still there next time. The text of an error may hold what is secret.
            _log.warning("expired receipts were not removed", error=type(error).__name__)
