from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Self
from uuid import UUID

from adapters.memory.example_items import MemoryExampleItemRepository
from adapters.memory.kernel.idempotency_records import MemoryReceipts
from application.kernel.commits import Committing
from application.kernel.idempotency_records import Receipt
from domain.example_item import ExampleItem


class MemoryUnitOfWork:
    """A `UnitOfWork` on values in memory, with the rules of a database: what is not committed is
    visible to nobody else, and a commit makes all of it visible or none."""

    def __init__(
        self, example_items: dict[UUID, ExampleItem], receipts: dict[str, Receipt]
    ) -> None:
        self.example_items = MemoryExampleItemRepository(example_items)
        self.receipts = MemoryReceipts(receipts)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.example_items.forget()
        self.receipts.forget()

    async def commit(self) -> None:
        # Nothing awaits between the checks and the changes, so no other unit comes between.
        items, receipts = self.example_items.changes(), self.receipts.changes()
        if items or receipts:
            with Committing():
                self.example_items.store(items)
                self.receipts.store(receipts)


class MemoryUnitsOfWork:
    """The `UnitsOfWork` of one storage, which lives as long as this object."""

    def __init__(self) -> None:
        self._example_items: dict[UUID, ExampleItem] = {}
        self._receipts: dict[str, Receipt] = {}

    def for_reading(self) -> AbstractAsyncContextManager[MemoryUnitOfWork]:
        return MemoryUnitOfWork(self._example_items, self._receipts)

    def for_writing(self) -> AbstractAsyncContextManager[MemoryUnitOfWork]:
        return MemoryUnitOfWork(self._example_items, self._receipts)
