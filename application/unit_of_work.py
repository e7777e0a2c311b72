"""Ports: one piece of work on the storage that happens as a whole or not at all."""

from contextlib import AbstractAsyncContextManager
from typing import Protocol

from application.example_items.repository import ExampleItemReader, ExampleItemRepository
from application.kernel.idempotency_records import ReceiptReader, Receipts


class ReadingUnitOfWork(Protocol):
    """Reads; it has nothing to commit."""

    @property
    def example_items(self) -> ExampleItemReader: ...

    @property
    def receipts(self) -> ReceiptReader: ...


class UnitOfWork(Protocol):
    """Reads and writes. What is not committed when its block ends is rolled back, and nobody
    else ever sees it."""

    @property
    def example_items(self) -> ExampleItemRepository: ...

    @property
    def receipts(self) -> Receipts: ...

    async def commit(self) -> None:
        """Make all changes durable together, or raise and make none.

        Raises what the repositories' methods name, `TransactionConflict` or another
        `StorageUnavailable` (nothing was changed), `StorageFull`, or `OutcomeUnknown`.
        """
        ...


class UnitsOfWork(Protocol):
    """Port: where units of work come from. A use case opens one per run.

    async with units_of_work.for_writing() as unit:
        unit.example_items.add(item)
        await unit.commit()
    """

    def for_reading(self) -> AbstractAsyncContextManager[ReadingUnitOfWork]: ...

    def for_writing(self) -> AbstractAsyncContextManager[UnitOfWork]: ...
