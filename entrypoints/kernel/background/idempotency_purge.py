"""The periodic purge of expired idempotency records."""

import asyncio

import structlog

from application.kernel.idempotency import Idempotency

INTERVAL_SECONDS = 60.0
# Between two batches, so that requests can use the database.
PAUSE_SECONDS = 0.1

_log = structlog.get_logger("entrypoints.http")


async def purge_periodically(idempotency: Idempotency) -> None:
    """Purge expired records once a minute, until cancelled. Several processes may do so at once."""
    while True:
        await asyncio.sleep(INTERVAL_SECONDS)
        try:
            while await idempotency.purge():  # noqa: ASYNC110 -- it is work, not an event
                await asyncio.sleep(PAUSE_SECONDS)
        except Exception as error:
            # The next purge removes them. The text of an error may contain a secret.
            _log.warning("expired idempotency records were not removed", error=type(error).__name__)
