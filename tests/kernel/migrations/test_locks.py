"""A migration waits for a lock for a moment only, several times, and says what it waits for."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from adapters.sql.kernel.migration import migrate as migration
from adapters.sql.kernel.migration import postgresql as postgresql_migration
from adapters.sql.kernel.migration import sqlite as sqlite_migration
from adapters.sql.kernel.migration.migrate import migrate
from adapters.sql.kernel.migration.migration_errors import LockTaken
from adapters.sql.kernel.migration.schema import current_revision
from tests.kernel.database_settings import engine_for
from tests.kernel.migrations.own_migrations import written_to

TABLE = """op.create_table("things", sa.Column("id", sa.Integer, primary_key=True))"""
COLUMN = """op.add_column("things", sa.Column("name", sa.String(20)))"""
ATTEMPTS = 3


@pytest.fixture(autouse=True)
def _little_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migration, "LOCK_ATTEMPTS", ATTEMPTS)
    monkeypatch.setattr(migration, "PAUSE_SECONDS", 0.05)
    monkeypatch.setattr(postgresql_migration, "LOCK_SECONDS", 1.0)
    monkeypatch.setattr(postgresql_migration, "MIGRATING_SECONDS", 0.1)
    monkeypatch.setattr(sqlite_migration, "LOCK_SECONDS", 0.1)


@pytest.fixture
async def engine(empty_postgresql_url: str) -> AsyncIterator[AsyncEngine]:
    engine = engine_for(empty_postgresql_url)
    yield engine
    await engine.dispose()


@pytest.fixture
async def other(empty_postgresql_url: str) -> AsyncIterator[AsyncConnection]:
    """A connection of another program."""
    engine = engine_for(empty_postgresql_url)
    async with engine.connect() as connection:
        await connection.execute(text("SET application_name = 'a report'"))
        await connection.commit()
        yield connection
    await engine.dispose()


async def test_a_lock_that_stays_taken_ends_the_migration(
    versions: Path, engine: AsyncEngine, other: AsyncConnection, caplog: pytest.LogCaptureFixture
) -> None:
    written_to(versions, (TABLE, ""), (COLUMN, ""))
    await migrate(engine, "m1")
    await other.execute(text("SELECT * FROM things"))
    pid = await other.scalar(text("SELECT pg_backend_pid()"))

    with pytest.raises(LockTaken, match=f"gave up after {ATTEMPTS} attempts"):
        await migrate(engine)

    assert len(caplog.messages) == ATTEMPTS
    for number, line in enumerate(caplog.messages, start=1):
        assert "AccessExclusiveLock on things is held by process" in line
        assert f"process {pid} (user service, application a report, idle in transaction" in line
        assert line.endswith(f"attempt {number} of {ATTEMPTS}")
    assert await current_revision(engine) == "m1"


async def test_between_two_attempts_requests_are_served_and_then_the_lock_is_had(
    versions: Path,
    engine: AsyncEngine,
    other: AsyncConnection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    written_to(versions, (TABLE, ""), (COLUMN, ""))
    await migrate(engine, "m1")
    await other.execute(text("SELECT * FROM things"))
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        async with engine.connect() as client:
            await client.execute(text("SET LOCAL lock_timeout = 1"))
            await client.execute(text("SELECT * FROM things"))
        await other.rollback()

    monkeypatch.setattr(migration, "_pause", pause)

    assert await migrate(engine) == ["m2 Migration 2."]
    assert pauses == [migration.PAUSE_SECONDS]


async def test_the_migrating_process_is_named(
    engine: AsyncEngine, other: AsyncConnection, caplog: pytest.LogCaptureFixture
) -> None:
    await other.execute(
        text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": postgresql_migration._LOCK}
    )
    pid = await other.scalar(text("SELECT pg_backend_pid()"))

    with pytest.raises(LockTaken, match="gave up"):
        await migrate(engine)

    assert len(caplog.messages) == ATTEMPTS
    for line in caplog.messages:
        assert f"the database is being migrated by process {pid} (user service" in line
    assert await current_revision(engine) is None


async def test_a_sqlite_file_that_another_process_writes_ends_the_migration(
    sqlite_file_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    engine, other = engine_for(sqlite_file_url), engine_for(sqlite_file_url)
    async with other.connect() as connection:
        await connection.execute(text("CREATE TABLE others (id INTEGER)"))

        with pytest.raises(LockTaken, match="gave up"):
            await migrate(engine)

    assert caplog.messages == [
        f"another process writes to the database file: attempt {number} of {ATTEMPTS}"
        for number in range(1, ATTEMPTS + 1)
    ]
    await migrate(engine)
    async with engine.connect() as connection:
        assert await connection.scalar(text("PRAGMA busy_timeout")) == 4_000
    for each in (engine, other):
        await each.dispose()


async def test_an_index_can_be_made_concurrently(versions: Path, engine: AsyncEngine) -> None:
    index = """
        with op.get_context().autocommit_block():
            op.create_index("ix_things", "things", ["id"], postgresql_concurrently=True)
    """
    written_to(versions, (TABLE, ""), (index, ""), (COLUMN, ""))

    assert len(await migrate(engine)) == 3
