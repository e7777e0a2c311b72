"""The opaque mark of a place in the list, which a client hands back to get the next page."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import blake2b
from uuid import UUID

_ID_BYTES = 16
_CHECK_BYTES = 5


def encode_cursor(item_id: UUID) -> str:
    """Return the cursor of the place right after the item, in letters that a URL may hold."""
    return urlsafe_b64encode(item_id.bytes + _check(item_id.bytes)).decode()


def decode_cursor(cursor: str) -> UUID:
    """Return the id of the item that the cursor stands after; raise `ValueError` if it is not, to
    the letter, one that `encode_cursor` made.

    The check finds accidents and curiosity. A forged cursor would gain nothing: it only says
    where to go on reading.
    """
    content = urlsafe_b64decode(cursor.encode("ascii"))
    item_id, check = content[:_ID_BYTES], content[_ID_BYTES:]
    if check != _check(item_id) or urlsafe_b64encode(content).decode() != cursor:
        raise ValueError("not a cursor of this list")
    return UUID(bytes=item_id)


def _check(item_id: bytes) -> bytes:
    return blake2b(item_id, digest_size=_CHECK_BYTES, person=b"example-items").digest()
