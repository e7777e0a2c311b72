from collections.abc import Callable, Sequence
from datetime import datetime
from heapq import nsmallest

from application.kernel.errors import KeyInProgress
from application.kernel.idempotency_records import Receipt

# What a unit of work would leave behind, by key; None stands for a removed receipt.
Changes = dict[str, Receipt | None]


class MemoryReceipts:
    """The receipts that are committed, and what this unit will do to them."""

    def __init__(self, committed: dict[str, Receipt]) -> None:
        self._committed = committed
        self._steps: list[Callable[[Changes], None]] = []

    async def find(self, key: str) -> Receipt | None:
        return self.changes().get(key, self._committed.get(key))

    def add(self, receipt: Receipt) -> None:
        def step(changes: Changes) -> None:
            if changes.get(receipt.key, self._committed.get(receipt.key)):
                raise KeyInProgress(receipt.key)
            changes[receipt.key] = receipt

        self._steps.append(step)

    def remove(self, receipt: Receipt) -> None:
        def step(changes: Changes) -> None:
            if changes.get(receipt.key, self._committed.get(receipt.key)) == receipt:
                changes[receipt.key] = None

        self._steps.append(step)

    async def expiries(self, until: datetime, limit: int) -> Sequence[datetime]:
        visible = {**self._committed, **self.changes()}.values()
        return nsmallest(limit, (it.expires_at for it in visible if it and it.expires_at <= until))

    def remove_expired(self, until: datetime) -> None:
        def step(changes: Changes) -> None:
            for key, receipt in {**self._committed, **changes}.items():
                if receipt and receipt.expires_at <= until:
                    changes[key] = None

        self._steps.append(step)

    def changes(self) -> Changes:
        """Return what this unit's steps make of the receipts as they are now; raise what the
        first refused step raises."""
        changes: Changes = {}
        for step in self._steps:
            step(changes)
        return changes

    def store(self, changes: Changes) -> None:
        """Make the changes visible to all."""
        for key, receipt in changes.items():
            if receipt is None:
                self._committed.pop(key, None)
            else:
                self._committed[key] = receipt
        self.forget()

    def forget(self) -> None:
        """Drop the steps that are not committed."""
        self._steps.clear()
