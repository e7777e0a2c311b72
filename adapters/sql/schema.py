"""Whether a database's schema is the one that this version of the service needs."""

from functools import cache
from pathlib import Path

from sqlalchemy import String, column, inspect, select, table
from sqlalchemy.ext.asyncio import AsyncEngine

_MIGRATIONS = Path(__file__).parent / "migrations" / "versions"
_REVISION = select(column("version_num", String)).select_from(table("alembic_version"))


@cache
def head() -> str:
    """Return the revision that this version of the service needs: that of the newest migration,
    whose file's name begins with it (`20261123_2200_create_example_items.py`)."""
    newest = max(file.stem for file in _MIGRATIONS.glob("[0-9]*.py"))
    return "_".join(newest.split("_")[:2])


async def current_revision(engine: AsyncEngine) -> str | None:
    """Return the revision that the database is at, None if it was never migrated."""
    async with engine.connect() as connection:
        if not await connection.run_sync(lambda it: inspect(it).has_table("alembic_version")):
            return None
        revision: str | None = await connection.scalar(_REVISION)
        return revision


async def create_example_schema(engine: AsyncEngine) -> None:
    """Bring an embedded SQLite database up to date. A server's database is left alone: it is
    migrated by a command of its own, `python -m entrypoints db upgrade`."""
    if engine.dialect.name == "sqlite" and await current_revision(engine) != head():
        from adapters.sql.migration import migrate  # noqa: PLC0415 -- see there

        await migrate(engine)
