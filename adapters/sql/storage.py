from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.sql.driver_errors import meaning_of
from adapters.sql.engine import open_database
from adapters.sql.schema import create_example_schema, current_revision, head
from adapters.sql.unit_of_work import SqlUnitsOfWork
from application.errors import ApplicationError


class SqlStorage:
    """A SQL database for as long as the service runs."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._database = open_database(engine)
        self.units_of_work = SqlUnitsOfWork(self._database)

    async def open(self) -> None:
        """Bring an embedded database up to date. A server may still be down: it is connected to
        when it is needed."""
        await create_example_schema(self._engine)

    async def is_ready(self) -> bool:
        """Tell whether the database answers, with the schema that this version needs."""
        try:
            return await current_revision(self._engine) == head()
        except Exception as error:
            if isinstance(meaning_of(error), ApplicationError):
                return False
            raise

    async def close(self) -> None:
        """Close all connections."""
        await self._database.close()
        await self._engine.dispose()
