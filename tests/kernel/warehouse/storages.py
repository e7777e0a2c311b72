"""The storages of the warehouse.

The project's migrations create the kernel's tables; the tables of the warehouse are added to them.
"""

from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.schema import CreateIndex, CreateTable

from adapters.memory.kernel import storage as memory
from adapters.memory.kernel.unit_of_work import MemoryUnitsOfWork as _MemoryUnitsOfWork
from adapters.sql.kernel import storage as sql
from tests.kernel.warehouse.memory import MemoryUnitOfWork
from tests.kernel.warehouse.sql import SqlReadingUnitOfWork, SqlUnitOfWork, metadata


class SqlStorage(sql.SqlStorage[SqlReadingUnitOfWork, SqlUnitOfWork]):
    def __init__(self, engine: AsyncEngine) -> None:
        super().__init__(engine, metadata, SqlReadingUnitOfWork, SqlUnitOfWork)

    async def open(self) -> None:
        await super().open()
        if self._engine.dialect.name == "sqlite":
            await create_tables(self._engine)


class MemoryStorage(memory.MemoryStorage[MemoryUnitOfWork]):
    def __init__(self) -> None:
        super().__init__(MemoryUnitOfWork)


class MemoryUnitsOfWork(_MemoryUnitsOfWork[MemoryUnitOfWork]):
    def __init__(self) -> None:
        super().__init__(MemoryUnitOfWork)


async def migrate_and_create_tables(engine: AsyncEngine) -> None:
    """Make all tables, as a command does for a server database."""
    from adapters.sql.kernel.migration.migrate import migrate  # a service need not import it

    await migrate(engine)
    await create_tables(engine)


async def create_tables(engine: AsyncEngine) -> None:
    """Make the tables that are missing. Several processes may do so at once."""
    async with engine.begin() as connection:
        for table in metadata.sorted_tables:
            await connection.execute(CreateTable(table, if_not_exists=True))
            for index in table.indexes:
                await connection.execute(CreateIndex(index, if_not_exists=True))
