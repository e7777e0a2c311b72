import logging
from collections.abc import Callable
from typing import Generic, TypeVar

from sqlalchemy import MetaData
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from adapters.sql.kernel.engine import engine_to_check, is_in_memory, open_database
from adapters.sql.kernel.errors.driver_errors import SchemaMissing, meaning_of
from adapters.sql.kernel.execution.database import Database
from adapters.sql.kernel.migration.schema import (
    SchemaPosition,
    schema_position_on,
    upgrade_embedded_database,
)
from adapters.sql.kernel.unit_of_work import SqlReadingUnit, SqlUnitsOfWork, SqlWritingUnit
from adapters.sql.kernel.usability import check_privileges, check_readable, check_writable

_log = logging.getLogger(__name__)


_R = TypeVar("_R", bound=SqlReadingUnit)
_W = TypeVar("_W", bound=SqlWritingUnit)


class SqlStorage(Generic[_R, _W]):
    """A SQL database, from the start of the service to its shutdown."""

    def __init__(
        self,
        engine: AsyncEngine,
        metadata: MetaData,
        reading: Callable[[Database], _R],
        writing: Callable[[Database], _W],
    ) -> None:
        """`metadata` has all tables; `reading` and `writing` make units of work."""
        self._engine = engine
        self._metadata = metadata
        self._database = open_database(engine, metadata)
        # An in-memory database cannot be lost, and has a single connection.
        self._to_check = None if is_in_memory(engine) else engine_to_check(engine)
        self.units_of_work = SqlUnitsOfWork(self._database, reading, writing)
        self._position: SchemaPosition | None = None

    async def open(self) -> None:
        """Migrate an embedded database. A server may still be down: connections to it are opened
        when they are needed."""
        await upgrade_embedded_database(self._engine)

    async def check(self) -> None:
        """Raise `StorageUnavailable`, with the reason, unless the database responds, its schema is
        not older than this version needs, and its tables can be read and written."""
        if self._to_check is None:
            return
        try:
            async with self._to_check.connect() as connection:
                position = await self._check(connection)
        except Exception as error:
            raise meaning_of(error)  # noqa: B904 -- it has the cause
        if position.is_ahead and position != self._position:
            _log.warning("%s; still serving", position)
        self._position = position

    async def _check(self, connection: AsyncConnection) -> SchemaPosition:
        await check_privileges(connection, self._metadata.sorted_tables)
        position = await schema_position_on(connection)
        if position.is_behind:
            raise SchemaMissing(str(position))
        await check_readable(connection, self._metadata.sorted_tables)
        await check_writable(connection, self._metadata.sorted_tables)
        return position

    async def close(self) -> None:
        """Close all connections."""
        await self._database.close()
        if self._to_check:
            await self._to_check.dispose()
        await self._engine.dispose()
