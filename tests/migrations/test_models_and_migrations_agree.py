"""The tables that the code describes are those that the migrations make."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.sql.migration import migrate
from adapters.sql.tables import metadata


def differences(connection: Connection) -> list[object]:
    options = {"compare_type": True, "compare_server_default": True}
    return list(compare_metadata(MigrationContext.configure(connection, opts=options), metadata))


async def test_alembic_sees_nothing_to_migrate(empty_engine: AsyncEngine) -> None:
    await migrate(empty_engine)

    async with empty_engine.connect() as connection:
        assert await connection.run_sync(differences) == []
