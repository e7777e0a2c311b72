"""Log why requests fail while the database is down, slow or full."""

import time

import structlog

INTERVAL_SECONDS = 1.0

_log = structlog.get_logger("entrypoints.http")


class OutageLog:
    """Writes at most one line per second: an outage under load must not fill the disk with logs."""

    def __init__(self) -> None:
        self._requests = 0
        self._next_line = 0.0

    def record(self, error: Exception) -> None:
        """Count a failed request. Log the error and the number of requests that failed since the
        last line, unless that line is less than a second old."""
        self._requests += 1
        now = time.monotonic()
        if now >= self._next_line:
            _log.warning("requests failed", reason=str(error), requests=self._requests)
            self._next_line = now + INTERVAL_SECONDS
            self._requests = 0
