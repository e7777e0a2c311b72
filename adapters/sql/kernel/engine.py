"""Create the SQLAlchemy engine that the settings describe."""

from pathlib import Path

from sqlalchemy import URL, MetaData
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.sql.kernel.addresses.database_url import names_memory, parse_database_url
from adapters.sql.kernel.engine_settings import DatabaseSettings
from adapters.sql.kernel.execution.database import Database
from adapters.sql.kernel.execution.session_commits import note_commits_of_sessions
from adapters.sql.kernel.postgresql.database import PostgresqlDatabase
from adapters.sql.kernel.postgresql.engine import postgresql_engine, postgresql_engine_to_check
from adapters.sql.kernel.sqlite.database import SqliteDatabase
from adapters.sql.kernel.sqlite.engine import sqlite_engine, sqlite_readers

SQLITE_READERS = 4


async def init_database(settings: DatabaseSettings) -> AsyncEngine:
    """Return the engine for the settings' database, which connects on first use. Create the
    directory of a SQLite file.

    Raises `ValueError` if the URL cannot be used, `OSError` if the directory cannot be created.
    """
    url = parse_database_url(settings.database_url.get_secret_value())
    if url.get_backend_name() == "sqlite" and url.database and not names_memory(url):
        _make_folder(url.database.removeprefix("file:"))
    return new_engine(url, settings)


def new_engine(url: URL, settings: DatabaseSettings) -> AsyncEngine:
    """Return an engine for the URL, with the settings for everything else."""
    is_postgresql = url.get_backend_name() == "postgresql"
    engine = (postgresql_engine if is_postgresql else sqlite_engine)(url, settings)
    note_commits_of_sessions(engine)
    return engine


def _make_folder(file: str) -> None:
    Path(file).parent.mkdir(parents=True, exist_ok=True)


def open_database(engine: AsyncEngine, metadata: MetaData) -> Database:
    """Return the `Database` for units of work on the engine. `metadata` has its tables."""
    if engine.dialect.name == "postgresql":
        return PostgresqlDatabase(engine)
    if is_in_memory(engine):
        return SqliteDatabase(engine, engine, metadata)
    readers = sqlite_readers(engine, SQLITE_READERS, echo=bool(engine.echo))
    return SqliteDatabase(engine, readers, metadata)


def engine_to_check(engine: AsyncEngine) -> AsyncEngine:
    """Return an engine with a connection of its own, for health checks: a pool whose connections
    are all in use is busy, not broken."""
    if engine.dialect.name == "postgresql":
        return postgresql_engine_to_check(engine)
    return sqlite_readers(engine, 1, echo=False)


def is_in_memory(engine: AsyncEngine) -> bool:
    """Return whether the database is an in-memory SQLite database."""
    return names_memory(engine.url)
