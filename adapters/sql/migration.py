"""Running and writing migrations, by Alembic.

Alembic takes a fifth of the service's start and ten megabytes, so that only who migrates imports
this module.
"""

from datetime import UTC, datetime
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncEngine

_PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"


def alembic_config(connection: Connection | None = None) -> Config:
    """Return Alembic's configuration, to work on the connection."""
    config = Config(toml_file=_PYPROJECT)
    config.attributes["connection"] = connection
    return config


async def migrate(engine: AsyncEngine, revision: str = "head") -> None:
    """Bring the schema up to the revision. Several may try at once: they take turns."""
    async with engine.connect() as connection:
        await connection.run_sync(
            lambda synchronous: command.upgrade(alembic_config(synchronous), revision)
        )


async def migrate_down(engine: AsyncEngine, revision: str) -> None:
    """Take the schema back to the revision; what only newer ones hold is lost."""
    async with engine.connect() as connection:
        await connection.run_sync(
            lambda synchronous: command.downgrade(alembic_config(synchronous), revision)
        )


async def write_migration(engine: AsyncEngine, message: str) -> None:
    """Write a migration that makes of the database's schema what the tables say.

    Its revision is the time, so that the newest file is the head (see `adapters.sql.schema`).
    """
    revision = datetime.now(UTC).strftime("%Y%m%d_%H%M")
    async with engine.connect() as connection:
        await connection.run_sync(
            lambda synchronous: command.revision(
                alembic_config(synchronous), message, autogenerate=True, rev_id=revision
            )
        )
