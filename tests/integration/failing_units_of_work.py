"""A storage that fails when it is asked to."""

from contextlib import AbstractAsyncContextManager

from adapters.memory.unit_of_work import MemoryUnitOfWork, MemoryUnitsOfWork


class FailingUnitsOfWork(MemoryUnitsOfWork):
    """Keeps items in memory, until an error is set: `units.on_commit = StorageFull("...")`."""

    def __init__(self) -> None:
        super().__init__()
        self.on_commit: Exception | None = None
        self.on_reading: Exception | None = None

    def for_reading(self) -> AbstractAsyncContextManager[MemoryUnitOfWork]:
        if self.on_reading:
            raise self.on_reading
        return super().for_reading()

    def for_writing(self) -> AbstractAsyncContextManager[MemoryUnitOfWork]:
        return _FailingUnitOfWork(self)


class _FailingUnitOfWork(MemoryUnitOfWork):
    def __init__(self, units: FailingUnitsOfWork) -> None:
        super().__init__(units._example_items, units._receipts)
        self._units = units

    async def commit(self) -> None:
        if self._units.on_commit:
            raise self._units.on_commit
        await super().commit()
