"""Execute statements on SQLite: compiled by SQLAlchemy, on a connection of its pool, in batches."""

import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any, cast

import aiosqlite
from sqlalchemy import MetaData, PoolProxiedConnection
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.sql.kernel.errors.driver_errors import ConstraintViolated, meaning_of
from adapters.sql.kernel.execution.compiled_statement import CompiledStatement, CompiledStatements
from adapters.sql.kernel.execution.connection_queue import ConnectionQueue
from adapters.sql.kernel.execution.database import (
    OneOrMore,
    Parameters,
    Row,
    Statement,
    Write,
    error_of_commit,
)
from adapters.sql.kernel.execution.sqlalchemy_execution import execute
from adapters.sql.kernel.execution.statement_events import StatementEvents
from adapters.sql.kernel.sqlite.aiosqlite_thread import on_thread
from adapters.sql.kernel.sqlite.batches import SqliteBatches, Work
from adapters.sql.kernel.sqlite.constraints import SqliteConstraints, is_foreign_key
from adapters.sql.kernel.sqlite.group_commit import WriteBatches, WriteWork, commit_together
from application.kernel.commits import Committing


class SqliteDatabase:
    """A `Database` on two aiosqlite engines: one connection that writes, and several that only
    read.

    SQLite allows one writer at a time. So writers wait in the connection queue, first in, first
    out, and not in SQLite's busy handler ("database is locked"). An in-memory database has a single
    connection for both.
    """

    def __init__(self, writer: AsyncEngine, readers: AsyncEngine, metadata: MetaData) -> None:
        """`metadata` has the names of the constraints: SQLite does not report them."""
        self._constraints = SqliteConstraints(metadata)
        self._writing_engine = writer
        self._reading_engine = readers
        self._writer = ConnectionQueue(writer)
        self._reader = self._writer if readers is writer else ConnectionQueue(readers)
        self._statements = CompiledStatements(writer.dialect)
        # Two error listeners are the engine's own, for sessions: see `sqlite_engine`.
        self._events = StatementEvents(writer, own_error_listeners=2)
        self._reads = SqliteBatches(self._reader, _read_all, self._events)
        self._writes = WriteBatches(
            self._writer, partial(commit_together, self._constraints), self._events
        )

    async def fetch(self, statement: Statement, parameters: Parameters) -> Sequence[Row]:
        bound = self._bound(statement, parameters)
        if bound is None:
            connection = await self._reader.acquire()
            try:
                return await self._execute(self._reading_engine, connection, statement, parameters)
            finally:
                self._reader.release(connection)
        compiled, values = bound
        work = _ReadWork(compiled.sql, values)
        await self._reads.execute(work)
        return compiled.rows(work.rows)

    async def apply(self, writes: Sequence[Write]) -> None:
        statements = self._all_bound(writes)
        if statements is None:
            async with self.transaction() as transaction:
                await transaction.apply(writes)
                await transaction.commit()
        elif writes:
            await self._writes.execute(WriteWork(writes, statements))

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator["SqliteTransaction"]:
        connection = await self._writer.acquire()
        try:
            await self.control(connection, "BEGIN IMMEDIATE")
            yield SqliteTransaction(self, connection)
        finally:
            # Does nothing after a commit. It waits for what still runs on the thread, so that
            # even a cancelled BEGIN is undone before the next caller gets the connection.
            try:
                await _aiosqlite(connection).rollback()
            finally:
                self._writer.release(connection)

    async def close(self) -> None:
        await self._reads.close()
        await self._writes.close()
        await self._reading_engine.dispose()

    async def run(
        self, connection: PoolProxiedConnection, statement: Statement, parameters: OneOrMore
    ) -> Sequence[Row]:
        """Execute a statement on an acquired connection and return its rows."""
        bound = self._bound(statement, parameters)
        if bound is None:
            return await self._execute(self._writing_engine, connection, statement, parameters)
        compiled, values = bound
        return compiled.rows(await self._run(connection, compiled.sql, values))

    async def control(self, connection: PoolProxiedConnection, sql: str) -> None:
        """Execute a statement without parameters and rows, such as BEGIN."""
        await self._run(connection, sql, ())

    async def commit(self, connection: PoolProxiedConnection) -> None:
        """Commit the transaction on an acquired connection."""
        try:
            with self._events.around(connection, "COMMIT", ()):
                await _aiosqlite(connection).commit()
        except Exception as error:
            raise meaning_of(error)  # noqa: B904 -- it has the cause

    async def named(
        self, connection: PoolProxiedConnection, error: ConstraintViolated, writes: Sequence[Write]
    ) -> ConstraintViolated:
        """Return the error with the name of the constraint that the writes violate. The connection
        is in the transaction in which they were executed."""
        if not is_foreign_key(error):
            return self._constraints.named(error)
        await on_thread(_aiosqlite(connection), self._constraints.watch)
        with suppress(Exception):
            for write in writes:
                await self.run(connection, write.statement, write.parameters)
        return self._constraints.named(
            error, await on_thread(_aiosqlite(connection), self._constraints.violated)
        )

    async def _run(
        self, connection: PoolProxiedConnection, sql: str, values: Sequence[Any]
    ) -> Sequence[Row]:
        try:
            with self._events.around(connection, sql, values):
                return list(await _aiosqlite(connection).execute_fetchall(sql, values))
        except Exception as error:
            raise meaning_of(error)  # noqa: B904 -- it has the cause

    async def _execute(
        self,
        engine: AsyncEngine,
        connection: PoolProxiedConnection,
        statement: Statement,
        parameters: OneOrMore,
    ) -> Sequence[Row]:
        """Execute a statement that has no fast path, by SQLAlchemy."""
        try:
            in_transaction = _aiosqlite(connection).in_transaction
            rows, _types = await execute(
                engine, connection, statement, parameters, in_transaction=in_transaction
            )
        except Exception as error:
            raise meaning_of(error)  # noqa: B904 -- it has the cause
        return rows

    def _bound(
        self, statement: Statement, parameters: OneOrMore
    ) -> tuple[CompiledStatement, list[Any]] | None:
        bound = self._statements.bound(statement, parameters)
        # SQLite reports no column types, on which the conversion of a result could depend.
        return bound if bound and bound[0].processors is not None else None

    def _all_bound(self, writes: Sequence[Write]) -> list[tuple[str, Sequence[Any]]] | None:
        """Return the writes as SQL and values, or None if one has no fast path."""
        statements: list[tuple[str, Sequence[Any]]] = []
        for write in writes:
            bound = self._bound(write.statement, write.parameters)
            if bound is None:
                return None
            statements.append((bound[0].sql, bound[1]))
        return statements


class SqliteTransaction:
    def __init__(self, database: SqliteDatabase, connection: PoolProxiedConnection) -> None:
        self._database = database
        self._connection = connection
        self._applied: list[Write] = []

    async def fetch(self, statement: Statement, parameters: Parameters) -> Sequence[Row]:
        return await self._database.run(self._connection, statement, parameters)

    async def apply(self, writes: Sequence[Write]) -> None:
        for write in writes:
            try:
                rows = await self._database.run(self._connection, write.statement, write.parameters)
            except ConstraintViolated as error:
                named = await self._database.named(self._connection, error, [write])
                raise write.error_for(named) from error.__cause__
            write.check(rows)
            self._applied.append(write)

    async def commit(self) -> None:
        try:
            with Committing(sqlite3.Error):
                await self._database.commit(self._connection)
        except ConstraintViolated as error:  # one that is deferred
            await self._database.control(self._connection, "ROLLBACK")
            await self._database.control(self._connection, "BEGIN IMMEDIATE")
            named = await self._database.named(self._connection, error, self._applied)
            raise error_of_commit(self._applied, named) from error.__cause__


class _ReadWork(Work):
    __slots__ = ("rows",)

    def __init__(self, sql: str, values: Sequence[Any]) -> None:
        super().__init__(((sql, values),))
        self.rows: Sequence[Row] = ()


def _read_all(connection: sqlite3.Connection, batch: list[_ReadWork]) -> None:
    for work in batch:
        ((sql, values),) = work.statements
        try:
            work.rows = connection.execute(sql, values).fetchall()
        except Exception as error:
            work.error = cast(Exception, meaning_of(error))


def _aiosqlite(connection: PoolProxiedConnection) -> aiosqlite.Connection:
    return cast(aiosqlite.Connection, connection.driver_connection)
