"""Migrate SQLite with foreign keys switched off, and check them before the commit.

SQLite cannot change most things about a table: Alembic's `batch_alter_table` makes a new table,
copies the rows, drops the old table and renames the new one. While foreign keys are enforced, the
drop deletes every row of the old table first, and what refers to these rows follows `ON DELETE`.
So they are not enforced during a migration, and all of them are checked before the commit, which is
the procedure of https://www.sqlite.org/lang_altertable.html#otheralter.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Self, cast

from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from adapters.sql.kernel.migration.migration_errors import MigrationFailed
from adapters.sql.kernel.sqlite.deadline import allow_any_time, interrupt_now

LOCK_SECONDS = 5.0
"""How long one attempt waits for a writer in another process."""


class SqliteMigration:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.steps: list[str] = []
        self.commits = False

    @classmethod
    @asynccontextmanager
    async def prepared(
        cls, _engine: AsyncEngine, connection: AsyncConnection
    ) -> AsyncIterator[Self]:
        """Prepare the connection, and restore it at the end."""
        await connection.run_sync(allow_any_time)
        ((busy_milliseconds,),) = await connection.run_sync(_pragma, "busy_timeout")
        await connection.run_sync(_pragma, f"busy_timeout = {round(LOCK_SECONDS * 1000)}")
        try:
            # It has no effect inside a transaction.
            await connection.run_sync(_pragma, "foreign_keys = OFF")
            yield cls(cast(Connection, connection.sync_connection))
        finally:
            await connection.run_sync(_pragma, f"busy_timeout = {busy_milliseconds}")
            await connection.run_sync(_pragma, "foreign_keys = ON")
            if await connection.run_sync(_pragma, "foreign_keys") != [(1,)]:
                await connection.invalidate()

    def begin(self, connection: Connection) -> None:
        """Do nothing: the transaction has begun with BEGIN IMMEDIATE, which holds the write
        lock."""

    def check(self, connection: Connection) -> None:
        """Raise `MigrationFailed` if a foreign key refers to a row that does not exist."""
        if not self.steps:
            return
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
        if broken:
            tables = sorted({f"{child} to {parent}" for child, _rowid, parent, _key in broken})
            raise MigrationFailed(
                "the migration failed, and nothing was changed: it leaves references to rows that "
                f"are not there, {len(broken)} from {' and from '.join(tables)}"
            )

    async def stop(self) -> None:
        """Interrupt the statement that is running."""
        interrupt_now(self._connection)


def _pragma(connection: Connection, pragma: str) -> list[Any]:
    """Execute a PRAGMA outside a transaction, which SQLAlchemy would begin; return its rows."""
    cursor = connection.connection.cursor()
    try:
        cursor.execute(f"PRAGMA {pragma}")
        return [tuple(row) for row in cursor.fetchall()]
    finally:
        cursor.close()
