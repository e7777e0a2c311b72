"""The API keys of clients: their hashes are in a file, which is read again when it changes."""

import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import structlog

from entrypoints.kernel.service_settings import InvalidSettings

READ, WRITE = "read", "write"
CHECK_FILE_SECONDS = 1.0
SETTLE_SECONDS = 0.2
"""A file that was changed this recently may be half written: it is read at the next check."""
_LINE = re.compile(r"(?P<name>[^\s#]\S*)\s+(?P<scope>read|write)\s+(?P<digest>[0-9a-fA-F]{64})")
_NAMES_IN_LOG = 20
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ApiKey:
    name: str
    scope: str
    digest: bytes


class ApiKeys:
    """The keys in a file, one per line: a name, `read` or `write`, and the key's SHA-256.

    A key has 256 random bits, so that a fast hash is enough: it cannot be guessed. The file is read
    again when it has changed: keys are added and removed without a restart. With a file without
    keys, every client is rejected. A file that cannot be read or has a malformed line is ignored,
    and the keys stay as they were.

    Keys are looked up by their hash, without a comparison in constant time. A client cannot choose
    the hash of what it sends, so the duration of the look-up does not help it to approach a stored
    hash; and a key cannot be computed from its hash.
    """

    def __init__(self, path: Path) -> None:
        """Raises `InvalidSettings`, which names the line, if the file cannot be used."""
        self._path = path
        self._seen = _signature(path)
        try:
            self._keys = parse(_text(path))
        except ValueError as error:
            raise InvalidSettings(f"APP_API_KEYS: {path}: {error}") from None
        self._next_check = time.monotonic() + CHECK_FILE_SECONDS

    def __len__(self) -> int:
        return len(self._keys)

    def key_of(self, token: bytes) -> ApiKey | None:
        """Return the key with its name and scope, or None if there is no such key."""
        if time.monotonic() >= self._next_check:
            self._read_again()
        return self._keys.get(sha256(token).digest())

    def _read_again(self) -> None:
        self._next_check = time.monotonic() + CHECK_FILE_SECONDS
        signature = _signature(self._path)
        if signature == self._seen or _is_being_written(signature):
            return
        self._seen = signature
        try:
            keys = parse(_text(self._path))
        except ValueError as error:
            _log.error("the API keys stay as they were", reason=str(error))
            return
        before, self._keys = self._keys, keys
        _log.info(
            "the API keys were read again",
            keys=len(keys),
            added=_names_in(keys, but_not_in=before),
            removed=_names_in(before, but_not_in=keys),
        )
        if not keys:
            self.warn_of_none()

    def warn_of_none(self) -> None:
        """Log that every client is rejected because the file has no keys."""
        _log.warning("all clients are rejected: the file has no API key", file=str(self._path))


def parse(text: str) -> dict[bytes, ApiKey]:
    """Return the keys by their hash. Empty lines and lines that begin with # are ignored.

    Raises `ValueError` for a malformed line, and for a duplicate name or key.
    """
    keys: dict[bytes, ApiKey] = {}
    names: set[str] = set()
    for number, line in enumerate(text.splitlines(), start=1):
        content = line.strip()
        if not content or content.startswith("#"):
            continue
        found = _LINE.fullmatch(content)
        if not found:
            # The line is not shown: it may contain a key by mistake.
            raise ValueError(f"line {number} does not have the form: name read|write sha256")
        name, scope, digits = found.groups()
        digest = bytes.fromhex(digits)
        if name in names:
            raise ValueError(f"there is more than one key of the name {name}")
        if digest in keys:
            raise ValueError(f"{keys[digest].name} and {name} have the same key")
        names.add(name)
        keys[digest] = ApiKey(name, scope, digest)
    return keys


def new_key(name: str, scope: str) -> tuple[str, str]:
    """Return a new key for a client, and its line for the file."""
    key = secrets.token_urlsafe(32)
    return key, f"{name} {scope} {sha256(key.encode()).hexdigest()}"


def _names_in(keys: Mapping[bytes, ApiKey], *, but_not_in: Mapping[bytes, ApiKey]) -> list[str]:
    """Return the names of the first keys that are missing or different in the other."""
    names = [key.name for digest, key in keys.items() if but_not_in.get(digest) != key]
    return names[:_NAMES_IN_LOG]


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ValueError(f"it cannot be read: {reason}") from None


_Signature = tuple[int, int, int, int]


def _signature(path: Path) -> _Signature | None:
    """Return values that differ if the file has changed, even if its time was set back."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_ctime_ns, status.st_size


def _is_being_written(signature: _Signature | None) -> bool:
    # If the clock differs from the file system's, this must not be true for ever.
    return signature is not None and 0 <= time.time() - signature[1] / 1e9 < SETTLE_SECONDS
