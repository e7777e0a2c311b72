"""A cursor: an opaque place in a list, which a client sends back to get the next page."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import blake2b
from uuid import UUID

_ID_BYTES = 16
_CHECK_BYTES = 5


def encode_cursor(after: UUID) -> str:
    """Return the cursor of the place right after this id. A URL may have all its letters."""
    return urlsafe_b64encode(after.bytes + _check(after.bytes)).decode()


def decode_cursor(cursor: str) -> UUID:
    """Return the id that the cursor stands after; raise `ValueError` if it is not, to
    the letter, one that `encode_cursor` made.

    The check finds accidents and curiosity. A forged cursor would gain nothing: it only says
    where to go on reading.
    """
    content = urlsafe_b64decode(cursor.encode("ascii"))
    after, check = content[:_ID_BYTES], content[_ID_BYTES:]
    if check != _check(after) or urlsafe_b64encode(content).decode() != cursor:
        raise ValueError("not a cursor")
    return UUID(bytes=after)


def _check(after: bytes) -> bytes:
    return blake2b(after, digest_size=_CHECK_BYTES, person=b"keyset-cursor").digest()
