"""A storage that fails on demand."""

from typing import Any

from adapters.memory.kernel.journal import Tables
from tests.kernel.warehouse.memory import MemoryUnitOfWork
from tests.kernel.warehouse.storages import MemoryUnitsOfWork


class FailingUnitsOfWork(MemoryUnitsOfWork):
    """Stores items in memory, until an error is set: `units.on_commit = StorageFull("...")`."""

    def __init__(self) -> None:
        super().__init__()
        self.on_commit: Exception | None = None
        self.on_reading: Exception | None = None

    def for_reading(self) -> MemoryUnitOfWork:
        if self.on_reading:
            raise self.on_reading
        return super().for_reading()

    def for_writing(self) -> MemoryUnitOfWork:
        return _FailingUnitOfWork(self, self._committed)


class _FailingUnitOfWork(MemoryUnitOfWork):
    def __init__(self, units: FailingUnitsOfWork, committed: Tables) -> None:
        super().__init__(committed)
        self._units = units

    async def commit(self, result: Any = None) -> Any:
        if self._units.on_commit:
            raise self._units.on_commit
        return await super().commit(result)
