from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Self
from uuid import UUID

from adapters.memory.example_item_repository import MemoryExampleItemRepository
from domain.example_item import ExampleItem


class MemoryUnitOfWork:
    """A `UnitOfWork` on values in memory, with the rules of a database: what is not committed is
    visible to nobody else, and a commit makes all of it visible or none."""

    def __init__(self, example_items: dict[UUID, ExampleItem]) -> None:
        self.example_items = MemoryExampleItemRepository(example_items)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.example_items.forget()

    async def commit(self) -> None:
        # Nothing awaits between the check and the change, so no other unit comes between.
        self.example_items.store(self.example_items.changes())


class MemoryUnitsOfWork:
    """The `UnitsOfWork` of one storage, which lives as long as this object."""

    def __init__(self) -> None:
        self._example_items: dict[UUID, ExampleItem] = {}

    def for_reading(self) -> AbstractAsyncContextManager[MemoryUnitOfWork]:
        return MemoryUnitOfWork(self._example_items)

    def for_writing(self) -> AbstractAsyncContextManager[MemoryUnitOfWork]:
        return MemoryUnitOfWork(self._example_items)
