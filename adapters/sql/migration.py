"""Running and writing migrations, by Alembic.

Alembic takes a fifth of the service's start and ten megabytes, so that only who migrates imports
this module.
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.sql.sqlite_deadline import allow_any_time

# While Alembic runs, its `context` and `op` belong to one database in all of the process.
_alembic = threading.Lock()
_ASK_AGAIN_SECONDS = 0.01
_PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"


def alembic_config(connection: Connection | None = None) -> Config:
    """Return Alembic's configuration, to work on the connection."""
    config = Config(toml_file=_PYPROJECT)
    config.attributes["connection"] = connection
    return config


async def migrate(engine: AsyncEngine, revision: str = "head") -> None:
    """Bring the schema up to the revision. Several may try at once: they take turns."""
    await _run(engine, lambda config: command.upgrade(config, revision))


async def migrate_down(engine: AsyncEngine, revision: str) -> None:
    """Take the schema back to the revision; what only newer ones hold is lost."""
    await _run(engine, lambda config: command.downgrade(config, revision))


async def write_migration(engine: AsyncEngine, message: str) -> None:
    """Write a migration that makes of the database's schema what the tables say.

    Its revision is the time, so that the newest file is the head (see `adapters.sql.schema`).
    """
    revision = datetime.now(UTC).strftime("%Y%m%d_%H%M")
    await _run(
        engine,
        lambda config: command.revision(config, message, autogenerate=True, rev_id=revision),
    )


async def _run(engine: AsyncEngine, alembic_command: Callable[[Config], object]) -> None:
    async with _a_turn(), engine.connect() as connection:
        await connection.run_sync(allow_any_time)
        await connection.run_sync(lambda synchronous: alembic_command(alembic_config(synchronous)))


@asynccontextmanager
async def _a_turn() -> AsyncIterator[None]:
    # Other event loops may wait too, which no asyncio.Lock allows.
    while not _alembic.acquire(blocking=False):  # noqa: ASYNC110
        await asyncio.sleep(_ASK_AGAIN_SECONDS)
    try:
        yield
    finally:
        _alembic.release()
