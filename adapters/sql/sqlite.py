"""How statements reach SQLite: compiled by SQLAlchemy, on a connection of its pool, in one hop to
that connection's thread."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import lru_cache, partial

from sqlalchemy import PoolProxiedConnection
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.sql.compiled_statement import CompiledStatement
from adapters.sql.connection_lease import give_back, lend
from adapters.sql.database import Parameters, Row, Statement, Write
from adapters.sql.driver_errors import ConstraintViolated, translated
from adapters.sql.group_commit import GroupCommit
from adapters.sql.sqlite_thread import aiosqlite_of
from adapters.sql.statement_events import StatementEvents


class SqliteDatabase:
    """A `Database` on two engines of aiosqlite: one connection that writes, and several that only
    read. SQLite has one writer at a time, so that writers queue in the pool, in turn, and not
    in SQLite's busy handler. A database in memory has a single connection for both."""

    def __init__(self, writer: AsyncEngine, readers: AsyncEngine) -> None:
        self._writer = writer
        self._readers = readers
        self._compiled = lru_cache(maxsize=500)(partial(CompiledStatement, dialect=writer.dialect))
        self._events = StatementEvents(writer)
        self._group_commit = GroupCommit(writer, self._compiled, self._events)

    async def fetch(self, statement: Statement, parameters: Parameters) -> Sequence[Row]:
        lease = await lend(self._readers)
        try:
            return await self.run(lease, statement, parameters)
        finally:
            give_back(lease)

    async def apply(self, writes: Sequence[Write]) -> None:
        if writes:
            await self._group_commit.apply(writes)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator["SqliteTransaction"]:
        lease = await lend(self._writer)
        try:
            await self.control(lease, "BEGIN IMMEDIATE")
            yield SqliteTransaction(self, lease)
        finally:
            # Does nothing after a commit. It queues behind whatever still runs in the thread,
            # so that even a cancelled BEGIN is undone before the next lender comes.
            try:
                await aiosqlite_of(lease).rollback()
            finally:
                give_back(lease)

    async def close(self) -> None:
        if self._readers is not self._writer:
            await self._readers.dispose()

    async def run(
        self, lease: PoolProxiedConnection, statement: Statement, parameters: Parameters
    ) -> Sequence[Row]:
        """Run a statement on a lent connection and return its rows."""
        compiled = self._compiled(statement)
        values = compiled.bind(parameters)
        return compiled.rows(await self._fetch_all(lease, compiled.sql, values))

    async def control(self, lease: PoolProxiedConnection, sql: str) -> None:
        """Run a statement that has neither parameters nor rows."""
        await self._fetch_all(lease, sql, ())

    async def _fetch_all(
        self, lease: PoolProxiedConnection, sql: str, values: Sequence[object]
    ) -> Sequence[Row]:
        try:
            with self._events.around(lease, sql, values):
                # Executes, fetches all and closes the cursor in one call on the thread.
                return list(await aiosqlite_of(lease).execute_fetchall(sql, values))
        except Exception as error:
            if meaning := translated(error):
                raise meaning from error
            raise


class SqliteTransaction:
    def __init__(self, database: SqliteDatabase, lease: PoolProxiedConnection) -> None:
        self._database = database
        self._lease = lease

    async def fetch(self, statement: Statement, parameters: Parameters) -> Sequence[Row]:
        return await self._database.run(self._lease, statement, parameters)

    async def apply(self, writes: Sequence[Write]) -> None:
        for write in writes:
            try:
                rows = await self.fetch(write.statement, write.parameters)
            except ConstraintViolated as error:
                raise write.refusal(error) from error
            write.check(rows)

    async def commit(self) -> None:
        await self._database.control(self._lease, "COMMIT")
