"""The keys of the API's clients, stored in a file as hashes and read again when it changes."""

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
LOOK_AGAIN_SECONDS = 1.0
SETTLE_SECONDS = 0.2
"""A file that was changed this recently may be half written, and is left until the next look."""
_LINE = re.compile(r"(?P<name>[^\s#]\S*)\s+(?P<scope>read|write)\s+(?P<digest>[0-9a-fA-F]{64})")
_NAMES_IN_LOG = 20
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ApiKey:
    name: str
    scope: str
    digest: bytes


class ApiKeys:
    """The keys in a file, one a line: a name, `read` or `write`, and the key's SHA-256.

    A key is 256 random bits, so its hash need not be slow: nobody can try them all. The file is
    read again when it has changed, so that keys come and go without a restart. A file without
    any key lets no client in. One that cannot be read, or has a wrong line, changes nothing.

    Keys are looked up by their hash, and not compared in constant time. A client does not choose
    the hash of what it sends, so the time of the look-up gives it no way to approach a stored
    one; and a stored hash does not give the key.
    """

    def __init__(self, path: Path) -> None:
        """Raises `InvalidSettings`, which names the line, if the file cannot be used."""
        self._path = path
        self._seen = _signature(path)
        try:
            self._keys = parse(_text(path))
        except ValueError as error:
            raise InvalidSettings(f"APP_API_KEYS: {path}: {error}") from None
        self._look_again = time.monotonic() + LOOK_AGAIN_SECONDS

    def __len__(self) -> int:
        return len(self._keys)

    def key_of(self, token: bytes) -> ApiKey | None:
        """Return the key, with its name and what it allows, or None if there is no such key."""
        if time.monotonic() >= self._look_again:
            self._read_again()
        return self._keys.get(sha256(token).digest())

    def _read_again(self) -> None:
        self._look_again = time.monotonic() + LOOK_AGAIN_SECONDS
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
        """Log that a file without keys lets no client in."""
        _log.warning("no client gets in: the file has no API key", file=str(self._path))


def parse(text: str) -> dict[bytes, ApiKey]:
    """Return the keys by their hash; raise `ValueError` if a line is none, or if a name or a key
    is there twice. Empty lines and those that begin with # are left out."""
    keys: dict[bytes, ApiKey] = {}
    names: set[str] = set()
    for number, line in enumerate(text.splitlines(), start=1):
        content = line.strip()
        if not content or content.startswith("#"):
            continue
        found = _LINE.fullmatch(content)
        if not found:
            # The line is not repeated: someone may have put the key itself there.
            raise ValueError(f"line {number} is not of the form: name read|write sha256")
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
    """Return a new key, to be handed to a client, and its line for the file."""
    key = secrets.token_urlsafe(32)
    return key, f"{name} {scope} {sha256(key.encode()).hexdigest()}"


def _names_in(keys: Mapping[bytes, ApiKey], *, but_not_in: Mapping[bytes, ApiKey]) -> list[str]:
    """Return the names of the first keys that are in one and not in the other as they are."""
    names = [key.name for digest, key in keys.items() if but_not_in.get(digest) != key]
    return names[:_NAMES_IN_LOG]


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise ValueError(f"it cannot be read: {reason}") from None


_Signature = tuple[int, int, int, int]


def _signature(path: Path) -> _Signature | None:
    """Return what differs when the file has changed, also if its time was set back."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_ctime_ns, status.st_size


def _is_being_written(signature: _Signature | None) -> bool:
    # A clock that differs from the file system's must not put this off for ever.
    return signature is not None and 0 <= time.time() - signature[1] / 1e9 < SETTLE_SECONDS
