"""Where log lines go. A log that cannot be written must not break what it reports on."""

import io
import os
import select
import stat
import threading
from collections.abc import Callable
from contextlib import suppress

# A pipe that is ready takes this many bytes at once without blocking: POSIX, PIPE_BUF.
CHUNK_BYTES = 4096
PATIENCE_SECONDS = 0.25
"""How long to wait for a reader that reads nothing, once, before lines are dropped."""


class LogStream(io.BufferedIOBase):
    """A stream on a file descriptor, whose `write` neither raises nor blocks for long.

    A line that cannot be written (disk full, pipe closed, reader stopped) is dropped. The next line
    that can be written follows a notice of how many were dropped.
    """

    def __init__(self, fd: int, notice: Callable[[int, str], bytes]) -> None:
        """`notice` makes a line of the number of dropped lines and the reason."""
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
        # To wait is for the first line that finds no reader, and not for every line after it.
        patience = 0 if self._dropped else PATIENCE_SECONDS * 1000
        try:
            while written < len(line):
                if self._poll and not self._poll.poll(patience):
                    raise BlockingIOError("nothing reads it")
                chunk = line[written : written + CHUNK_BYTES] if written or self._poll else line
                written += os.write(self._fd, chunk)
        except OSError as error:
            self._reason = error.strerror or str(error)
            self._is_torn = self._is_torn or written > 0
            return False
        self._is_torn = False
        return True


def _poll(fd: int) -> "select.poll | None":
    """Return what waits until the descriptor can be written, None where a write never waits for a
    reader: a file, and whatever there is on Windows."""
    with suppress(OSError):
        if hasattr(select, "poll") and not stat.S_ISREG(os.fstat(fd).st_mode):
            poll = select.poll()
            poll.register(fd, select.POLLOUT)
            return poll
    return None
