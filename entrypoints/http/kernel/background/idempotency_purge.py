"""Removing the receipts of idempotency keys that have expired."""

import asyncio

import structlog

from application.kernel.idempotency import Idempotency

INTERVAL_SECONDS = 60.0
# Between two batches, so that requests get their turns.
PAUSE_SECONDS = 0.1

_log = structlog.get_logger("entrypoints.http")


async def purge_now_and_then(idempotency: Idempotency) -> None:
    """Purge for ever. Several processes may do so side by side."""
    while True:
        await asyncio.sleep(INTERVAL_SECONDS)
        try:
            while await idempotency.purge():  # noqa: ASYNC110 -- it is no event but work
                await asyncio.sleep(PAUSE_SECONDS)
        except Exception as error:
            # They are still there next time. The text of an error may hold what is secret.
            _log.warning("expired receipts were not removed", error=type(error).__name__)
