"""The storages of the service, with all its repositories."""

from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.memory.kernel import storage as memory
from adapters.memory.kernel.unit_of_work import MemoryUnitsOfWork as _MemoryUnitsOfWork
from adapters.memory.unit_of_work import MemoryUnitOfWork
from adapters.sql.kernel import storage as sql
from adapters.sql.unit_of_work import SqlReadingUnitOfWork, SqlUnitOfWork, metadata


class SqlStorage(sql.SqlStorage[SqlReadingUnitOfWork, SqlUnitOfWork]):
    def __init__(self, engine: AsyncEngine) -> None:
        super().__init__(engine, metadata, SqlReadingUnitOfWork, SqlUnitOfWork)


class MemoryStorage(memory.MemoryStorage[MemoryUnitOfWork]):
    def __init__(self) -> None:
        super().__init__(MemoryUnitOfWork)


class MemoryUnitsOfWork(_MemoryUnitsOfWork[MemoryUnitOfWork]):
    def __init__(self) -> None:
        super().__init__(MemoryUnitOfWork)
