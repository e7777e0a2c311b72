"""Detect that the file of a SQLite database was removed or replaced while it is open."""

import os

from application.kernel.errors import StorageUnavailable

_Identity = tuple[int, int]


class SqliteFile:
    """The file that all connections of an engine have open.

    If the file is removed or replaced, the open connections go on with the old one, and what they
    write is lost. To open the new file in addition could corrupt it by the old file's log
    (https://www.sqlite.org/howtocorrupt.html, section 2.4). So the old file has to be put back, or
    the service restarted.
    """

    def __init__(self) -> None:
        self._path = ""
        self._identity: _Identity | None = None

    def remember(self, path: str) -> None:
        """Remember the file that the first connection has opened. An in-memory database has no
        path."""
        if path and self._identity is None:
            self._path = path
            self._identity = _identity_of(path)

    def check(self) -> None:
        """Raise `StorageUnavailable` unless the path still leads to the same file."""
        if self._identity and _identity_of(self._path) != self._identity:
            raise StorageUnavailable(
                "the SQLite file was removed or replaced while it was open: "
                "put it back, or restart the service"
            )


def _identity_of(path: str) -> _Identity | None:
    try:
        found = os.stat(path)  # noqa: PTH116 -- several times faster, for every request
    except OSError:
        return None
    return found.st_dev, found.st_ino
