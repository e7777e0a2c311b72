"""From the settings to an engine, with what each database needs to be dependable."""

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
    """Return the engine for the settings' database, which connects on first use. Make the folder of
    a SQLite file.

    Raises `ValueError` if the URL cannot be used, `OSError` if the folder cannot be made.
    """
    url = parse_database_url(settings.database_url.get_secret_value())
    if url.get_backend_name() == "sqlite" and url.database and not names_memory(url):
        _make_folder(url.database.removeprefix("file:"))
    return new_engine(url, settings)


def new_engine(url: URL, settings: DatabaseSettings) -> AsyncEngine:
    """Return the engine for the database of the URL, otherwise as the settings say."""
    is_postgresql = url.get_backend_name() == "postgresql"
    engine = (postgresql_engine if is_postgresql else sqlite_engine)(url, settings)
    note_commits_of_sessions(engine)
    return engine


def _make_folder(file: str) -> None:
    Path(file).parent.mkdir(parents=True, exist_ok=True)


def open_database(engine: AsyncEngine, metadata: MetaData) -> Database:
    """Return the database that units of work use the engine through. `metadata` has its tables."""
    if engine.dialect.name == "postgresql":
        return PostgresqlDatabase(engine)
    if is_in_memory(engine):
        return SqliteDatabase(engine, engine, metadata)
    readers = sqlite_readers(engine, SQLITE_READERS, echo=bool(engine.echo))
    return SqliteDatabase(engine, readers, metadata)


def engine_to_check(engine: AsyncEngine) -> AsyncEngine:
    """Return an engine to find out whether the engine's database can be used, on a connection of
    its own: a pool whose connections are all in use is busy, not broken."""
    if engine.dialect.name == "postgresql":
        return postgresql_engine_to_check(engine)
    return sqlite_readers(engine, 1, echo=False)


def is_in_memory(engine: AsyncEngine) -> bool:
    """Return whether the database is a SQLite one that ends with its connection."""
    return names_memory(engine.url)
