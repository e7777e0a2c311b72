"""The readiness check: a background task that checks the storage periodically."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from application.kernel.errors import ApplicationError

CHECK_EVERY_SECONDS = 0.5
# Both together are the longest time until an outage is noticed.
CHECK_TIMEOUT_SECONDS = 1.0
NO_RESPONSE = f"the storage does not respond within {CHECK_TIMEOUT_SECONDS:g} s"

_log = structlog.get_logger("entrypoints.http")


class Readiness:
    """Checks the storage in the background. So a readiness request gets its response at once, and
    many such requests are no load. Each change is logged with its reason."""

    def __init__(self, check: Callable[[], Awaitable[None]]) -> None:
        """`check` raises if the storage cannot be used."""
        self._check = check
        self._is_known = asyncio.Event()
        self._why_not: str | None = None

    async def is_ready(self) -> bool:
        """Return the result of the last check; wait for the first one if there is none."""
        await self._is_known.wait()
        return self._why_not is None

    async def keep_checking(self) -> None:
        """Check periodically, until cancelled."""
        while True:
            check = asyncio.create_task(self._reason())
            try:
                done, _ = await asyncio.wait([check], timeout=CHECK_TIMEOUT_SECONDS)
                self._store(check.result() if done else NO_RESPONSE)
            finally:
                # A check that timed out may take long to end; the result is stored before that.
                check.cancel()
                await asyncio.wait([check])
            await asyncio.sleep(CHECK_EVERY_SECONDS)

    async def _reason(self) -> str | None:
        try:
            await self._check()
        except ApplicationError as error:
            return str(error)
        except Exception as error:
            # Its text may contain a secret.
            return f"the check failed ({type(error).__name__})"
        return None

    def _store(self, why_not: str | None) -> None:
        has_changed = why_not != self._why_not
        # Before the log, which may fail.
        self._why_not = why_not
        self._is_known.set()
        if has_changed and why_not:
            _log.warning("not ready", reason=why_not)
        elif has_changed:
            _log.info("ready again")
