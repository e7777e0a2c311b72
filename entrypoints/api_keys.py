"""The keys of the API's clients, kept in a file as hashes and read again when it changes."""

import hmac
import re
import secrets
import time
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import structlog

READ, WRITE = "read", "write"
LOOK_AGAIN_SECONDS = 1.0
_LINE = re.compile(r"(?P<name>\S+)\s+(?P<scope>read|write)\s+(?P<digest>[0-9a-f]{64})")
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ApiKey:
    name: str
    scope: str
    digest: str


class ApiKeys:
    """The keys in a file, one a line: a name, `read` or `write`, and the key's SHA-256.

    A key is 256 random bits, so that its hash need not be slow: nobody can try them all. The file
    is looked at anew after a second, so that keys come and go without a restart.
    """

    def __init__(self, path: Path) -> None:
        """Raises `ValueError`, which names the line, if the file cannot be used."""
        self._path = path
        self._keys = parse(_text(path))
        self._seen = _signature(path)
        self._look_again = time.monotonic() + LOOK_AGAIN_SECONDS

    def key_of(self, token: bytes) -> ApiKey | None:
        """Return the key, with its name and what it allows, or None if there is no such key."""
        if time.monotonic() >= self._look_again:
            self._read_again()
        digest = sha256(token).hexdigest()
        found = None
        # Every key is compared, each in constant time: the time taken tells nothing.
        for key in self._keys:
            if hmac.compare_digest(key.digest, digest):
                found = key
        return found

    def _read_again(self) -> None:
        self._look_again = time.monotonic() + LOOK_AGAIN_SECONDS
        signature = _signature(self._path)
        if signature == self._seen:
            return
        self._seen = signature
        try:
            self._keys = parse(_text(self._path))
        except ValueError as error:
            _log.error("the API keys stay as they were", reason=str(error))
        else:
            _log.info("the API keys were read again", keys=[key.name for key in self._keys])


def parse(text: str) -> list[ApiKey]:
    """Return the keys; raise `ValueError` if a line is none, a name stands twice, or there is no
    key at all. Empty lines and those that begin with # are left out."""
    keys = []
    for number, line in enumerate(text.splitlines(), start=1):
        content = line.strip()
        if not content or content.startswith("#"):
            continue
        found = _LINE.fullmatch(content)
        if not found:
            # The line is not repeated: someone may have put the key itself there.
            raise ValueError(f"line {number} is not of the form: name read|write sha256")
        keys.append(ApiKey(**found.groupdict()))
    names = [key.name for key in keys]
    if twice := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"there is more than one key of the name {min(twice)}")
    if not keys:
        raise ValueError("there is no key in it")
    return keys


def new_key(name: str, scope: str) -> tuple[str, str]:
    """Return a new key, to be handed to a client, and its line for the file."""
    key = secrets.token_urlsafe(32)
    return key, f"{name} {scope} {sha256(key.encode()).hexdigest()}"


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise ValueError(f"it cannot be read: {reason}") from None


def _signature(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size
