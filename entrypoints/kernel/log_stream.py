"""The output stream of the log. A log that cannot be written must not break the service."""

import io
import os
import select
import stat
import threading
from collections.abc import Callable
from contextlib import suppress

# A pipe that poll reports as writable takes this many bytes without blocking: POSIX, PIPE_BUF.
CHUNK_BYTES = 4096
READER_TIMEOUT_SECONDS = 0.25
"""How long to wait for a reader that does not read, once, before lines are dropped."""


class LogStream(io.BufferedIOBase):
    """A stream on a file descriptor. Its `write` never raises, and blocks for a short time at most.

    A line that cannot be written (disk full, pipe closed, reader stopped) is dropped. Before the
    next line that can be written comes a notice with the number of dropped lines.
    """

    def __init__(self, fd: int, notice: Callable[[int, str], bytes]) -> None:
        """`notice` returns a line for the number of dropped lines and the reason."""
        self._fd = fd
        self._notice = notice
        self._poll = _poll(fd)
        self._lock = threading.Lock()
        self._dropped = 0
        self._reason = ""
        self._is_torn = False

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        with suppress(OSError):
            return os.isatty(self._fd)
        return False

    def write(self, line: bytes) -> int:  # type: ignore[override]
        """Write a whole line, or drop it; return its length."""
        with self._lock:
            if self._dropped:
                start = b"\n" if self._is_torn else b""
                if not self._try(start + self._notice(self._dropped, self._reason)):
                    self._dropped += 1
                    return len(line)
                self._dropped = 0
            if not self._try(line):
                self._dropped = 1
        return len(line)

    def _try(self, line: bytes) -> bool:
        """Write the line, and return whether all of it was written."""
        written = 0
        # Only the first line without a reader waits, not every line after it.
        timeout = 0 if self._dropped else READER_TIMEOUT_SECONDS * 1000
        try:
            while written < len(line):
                if self._poll and not self._poll.poll(timeout):
                    raise BlockingIOError("the reader does not read")
                chunk = line[written : written + CHUNK_BYTES] if written or self._poll else line
                written += os.write(self._fd, chunk)
        except OSError as error:
            self._reason = error.strerror or str(error)
            self._is_torn = self._is_torn or written > 0
            return False
        self._is_torn = False
        return True


def _poll(fd: int) -> "select.poll | None":
    """Return a poll object for the descriptor; None if a write never waits for a reader: for a
    file, and on Windows."""
    with suppress(OSError):
        if hasattr(select, "poll") and not stat.S_ISREG(os.fstat(fd).st_mode):
            poll = select.poll()
            poll.register(fd, select.POLLOUT)
            return poll
    return None
