"""The tables that the code describes are those that the migrations make."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.sql.kernel.migration.migrate import migrate, migrate_down
from adapters.sql.unit_of_work import metadata
from tests.kernel.migrations.database_outline import outline


def differences(connection: Connection) -> list[object]:
    options = {"compare_type": True, "compare_server_default": True}
    return list(compare_metadata(MigrationContext.configure(connection, opts=options), metadata))


async def test_alembic_sees_nothing_to_migrate(empty_engine: AsyncEngine) -> None:
    await migrate(empty_engine)

    async with empty_engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_tables_are_the_same_however_they_are_made(empty_engine: AsyncEngine) -> None:
    """Alembic does not compare CHECK constraints, the order of columns and the like."""
    await migrate(empty_engine)
    migrated = await outline(empty_engine)
    await migrate_down(empty_engine, "base")

    async with empty_engine.begin() as connection:
        await connection.run_sync(metadata.create_all)

    assert await outline(empty_engine) == migrated
