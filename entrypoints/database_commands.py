"""The commands of `python -m entrypoints db`. Each returns an exit status."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from alembic.util import CommandError
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.sql.driver_errors import translated
from adapters.sql.engine import init_database
from adapters.sql.migration import migrate, migrate_down, write_migration
from adapters.sql.schema import current_revision, head
from entrypoints.settings import AppSettings

# No request waits for a command: a statement has a day.
_TIME_TO_MIGRATE = {"request_deadline_seconds": 86_400.0}


async def upgrade(settings: AppSettings, revision: str | None) -> int:
    """Migrate up. Several may run at once: they take turns."""
    async with _engine(settings) as engine:
        await migrate(engine, revision or "head")
    return await current(settings, None)


async def downgrade(settings: AppSettings, revision: str | None) -> int:
    """Migrate down, by one step if no revision is given."""
    async with _engine(settings) as engine:
        await migrate_down(engine, revision or "-1")
    return await current(settings, None)


async def current(settings: AppSettings, _argument: None) -> int:
    """Print where the database is and where it should be."""
    async with _engine(settings) as engine:
        print(f"database: {await current_revision(engine) or 'empty'}, newest: {head()}")
    return 0


async def revision(settings: AppSettings, message: str) -> int:
    """Write a migration from the difference between the database and the tables."""
    async with _engine(settings) as engine:
        await write_migration(engine, message)
    return 0


@asynccontextmanager
async def _engine(settings: AppSettings) -> AsyncIterator[AsyncEngine]:
    """Lend an engine; end with one clear line if the database cannot be used."""
    try:
        engine = init_database(settings.model_copy(update=_TIME_TO_MIGRATE))
        try:
            yield engine
        finally:
            await engine.dispose()
    except Exception as error:
        meaning = error if isinstance(error, CommandError) else translated(error)
        if meaning is None:
            raise
        print(f"The database cannot be used: {meaning}.", file=sys.stderr)
        raise SystemExit(1) from None
