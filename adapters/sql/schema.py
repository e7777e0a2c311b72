"""Bringing a database's schema to where this version of the service needs it."""

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncEngine

_PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"


def alembic_config(connection: Connection | None = None) -> Config:
    """Return Alembic's configuration, to work on the connection."""
    config = Config(toml_file=_PYPROJECT)
    config.attributes["connection"] = connection
    return config


@cache
def head() -> str:
    """Return the revision that this version of the service needs."""
    return str(ScriptDirectory.from_config(alembic_config()).get_current_head())


async def migrate(engine: AsyncEngine, revision: str = "head") -> None:
    """Bring the schema up to the revision. Several may try at once: they take turns."""
    async with engine.connect() as connection:
        await connection.run_sync(
            lambda synchronous: command.upgrade(alembic_config(synchronous), revision)
        )


async def migrate_down(engine: AsyncEngine, revision: str) -> None:
    """Take the schema back to the revision, with the data that only newer ones hold lost."""
    async with engine.connect() as connection:
        await connection.run_sync(
            lambda synchronous: command.downgrade(alembic_config(synchronous), revision)
        )


async def create_example_schema(engine: AsyncEngine) -> None:
    """Bring an embedded SQLite database up to date. A server's database is left alone: it is
    migrated by a command of its own, `python -m entrypoints db upgrade`."""
    if engine.dialect.name == "sqlite":
        await migrate(engine)


async def write_migration(engine: AsyncEngine, message: str) -> None:
    """Write a migration that makes of the database's schema what the tables say."""
    async with engine.connect() as connection:
        await connection.run_sync(
            lambda synchronous: command.revision(
                alembic_config(synchronous), message, autogenerate=True
            )
        )


async def current_revision(engine: AsyncEngine) -> str | None:
    """Return the revision that the database is at, None if it was never migrated."""
    async with engine.connect() as connection:
        return await connection.run_sync(
            lambda synchronous: MigrationContext.configure(synchronous).get_current_revision()
        )
