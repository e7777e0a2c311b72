"""Port: receipts, which tell a request that was carried out from one that is yet to be."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar

_T_contra = TypeVar("_T_contra", contravariant=True)

KEY_MAX_LENGTH = 255


@dataclass(frozen=True, slots=True)
class Receipt:
    """Says that a change was made, and what was answered.

    The client chose the key, to name its request by. The fingerprint tells two requests of one
    key apart. The answer is what the entrypoint will want to repeat, in a form of its own.
    """

    key: str
    fingerprint: bytes
    answer: bytes
    expires_at: datetime


# Makes the receipt of a change from what the change results in.
ReceiptFor = Callable[[_T_contra], Receipt]


class ReceiptReader(Protocol):
    """The receipts as a reading unit of work sees them."""

    async def find(self, key: str) -> Receipt | None:
        """Return the receipt of this key, also if it has expired, or None."""
        ...


class Receipts(ReceiptReader, Protocol):
    """The receipts as a writing unit of work sees them. What it writes is made by its commit,
    together with its changes or not at all."""

    def add(self, receipt: Receipt) -> None:
        """Add a receipt; `KeyInProgress` if there is one of its key, expired or not."""
        ...

    def remove(self, receipt: Receipt) -> None:
        """Remove this receipt, if it is still there."""
        ...

    async def expiries(self, until: datetime, limit: int) -> Sequence[datetime]:
        """Return when the receipts expire that do so by `until`: the `limit` first ones, in
        that order."""
        ...

    def remove_expired(self, until: datetime) -> None:
        """Remove all receipts that expire by `until`."""
        ...
