"""A cursor: an opaque position in a list, which a client sends back to get the next page."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import blake2b
from uuid import UUID

_ID_BYTES = 16
_CHECK_BYTES = 5


def encode_cursor(after: UUID) -> str:
    """Return the cursor for the position right after this id. It needs no escaping in a URL."""
    return urlsafe_b64encode(after.bytes + _check(after.bytes)).decode()


def decode_cursor(cursor: str) -> UUID:
    """Return the id before the position of the cursor. Raises `ValueError` if the cursor is not
    exactly one that `encode_cursor` returned.

    The check detects accidental changes and guesses. A forged cursor gains nothing: it only says
    where to continue reading.
    """
    content = urlsafe_b64decode(cursor.encode("ascii"))
    after, check = content[:_ID_BYTES], content[_ID_BYTES:]
    if check != _check(after) or urlsafe_b64encode(content).decode() != cursor:
        raise ValueError("not a cursor")
    return UUID(bytes=after)


def _check(after: bytes) -> bytes:
    return blake2b(after, digest_size=_CHECK_BYTES, person=b"keyset-cursor").digest()
