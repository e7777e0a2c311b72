"""The file that a SQLite database is, which may be removed or replaced while it is open."""

import os

from application.kernel.errors import StorageUnavailable

_Identity = tuple[int, int]


class SqliteFile:
    """The file that all connections of an engine have open.

    Whoever removes or replaces it leaves them with one that no path leads to: what they write there
    is lost. To connect to the new one beside them could damage it by the old one's log
    (https://www.sqlite.org/howtocorrupt.html, section 2.4), so that it takes a restart, or the old
    file back.
    """

    def __init__(self) -> None:
        self._path = ""
        self._identity: _Identity | None = None

    def remember(self, path: str) -> None:
        """Note the file that the first connection has opened; a database in memory has no path."""
        if path and self._identity is None:
            self._path = path
            self._identity = _identity_of(path)

    def check(self) -> None:
        """Raise `StorageUnavailable` unless the path still leads to the file."""
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
