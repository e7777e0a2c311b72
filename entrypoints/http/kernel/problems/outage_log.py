"""Telling the log why requests fail of the storage."""

import time

import structlog

SILENT_SECONDS = 1.0

_log = structlog.get_logger("entrypoints.http")


class StorageTrouble:
    """Writes one line a second at most: an outage must not fill the disk with what it is."""

    def __init__(self) -> None:
        self._requests = 0
        self._silent_until = 0.0

    def tell(self, error: Exception) -> None:
        """Say why a request failed, and how many did since it was said last."""
        self._requests += 1
        now = time.monotonic()
        if now >= self._silent_until:
            _log.warning("storage trouble", reason=str(error), requests=self._requests)
            self._silent_until = now + SILENT_SECONDS
            self._requests = 0
