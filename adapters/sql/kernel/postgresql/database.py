"""Execute statements on PostgreSQL: compiled by SQLAlchemy, on a connection of its pool, by
asyncpg's own methods."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, cast

import asyncpg
from sqlalchemy import PoolProxiedConnection
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.sql.kernel.errors.driver_errors import (
    ConnectionLost,
    ConnectionUnfit,
    ConstraintViolated,
    NoResponse,
    meaning_of,
)
from adapters.sql.kernel.execution.combined_statement import combine
from adapters.sql.kernel.execution.compiled_statement import CompiledStatements
from adapters.sql.kernel.execution.connection_queue import LAST_USE, ConnectionQueue
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
from adapters.sql.kernel.execution.times_as_text import UnusualTimeError
from application.kernel.commits import Committing
from application.kernel.errors import OutcomeUnknown

STOP_SECONDS = 2.0
PROBE = "SELECT 1"
PROVEN_FOR_SECONDS = 1.0
"""How long after its last use a connection is assumed to be alive."""
KEEP_SECONDS = 0.02
"""How long a connection may be passed from statement to statement without going to the pool."""

_PLANS_SINCE = "plans_since"


class PostgresqlDatabase:
    """A `Database` on an asyncpg engine.

    A statement outside a transaction commits by itself, in one round trip.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._queue = ConnectionQueue(engine, KEEP_SECONDS)
        self._statements = CompiledStatements(engine.dialect)
        # One error listener is the engine's own, for sessions: see `postgresql_engine`.
        self._events = StatementEvents(engine, own_error_listeners=1)
        # Half of the pool timeout.
        self._probe_seconds = self._queue.timeout / 2
        self._last_loss = 0.0
        self._schema_changed = 0.0
        self._stopped: set[PoolProxiedConnection] = set()
        self._stopping: set[asyncio.Task[None]] = set()

    async def fetch(self, statement: Statement, parameters: Parameters) -> Sequence[Row]:
        lost = 0
        while True:
            connection = await self._acquire_alive()
            try:
                return await self.run(connection, statement, parameters)
            except NoResponse:
                raise
            except ConnectionLost:
                # The connection died while it was idle, and all others of the pool may have
                # too, which only shows in use. A read, unlike a write, is safe to retry.
                lost += 1
                if lost > self._queue.size:
                    raise
            finally:
                self._release(connection)

    async def apply(self, writes: Sequence[Write]) -> None:
        if write := combine(writes):
            connection = await self._acquire_alive()
            try:
                await _committed(self.write(connection, write))
            finally:
                self._release(connection)
        elif writes:
            async with self.transaction() as transaction:
                await transaction.apply(writes)
                await transaction.commit()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator["PostgresqlTransaction"]:
        connection = await self._acquire_alive()
        try:
            await self._drop_outdated_plans(connection)
            await self.control(connection, "BEGIN")
            try:
                yield PostgresqlTransaction(self, connection)
            finally:
                if self._is_usable(connection) and _asyncpg(connection).is_in_transaction():
                    await self.control(connection, "ROLLBACK")
        finally:
            self._release(connection)

    async def close(self) -> None:
        """Wait until the statements of cancelled requests have been stopped on the server."""
        if self._stopping:
            await asyncio.wait(self._stopping)
        self._queue.close()

    async def run(
        self, connection: PoolProxiedConnection, statement: Statement, parameters: OneOrMore
    ) -> Sequence[Row]:
        """Execute a statement on an acquired connection and return its rows."""
        bound = self._statements.bound(statement, parameters)
        if bound is None or bound[0].processors is None:
            rows, types = await self._execute(connection, statement, parameters)
            if bound:
                bound[0].learn(types)
            return rows
        compiled, values = bound
        try:
            with self._events.around(connection, compiled.sql, values):
                fetched = await _asyncpg(connection).fetch(compiled.sql, *values)
        except BaseException as error:
            raise self._error_to_raise(error, connection)  # noqa: B904 -- it has the cause
        try:
            return compiled.rows(cast(Sequence[Row], fetched))
        except UnusualTimeError:
            compiled.has_unusual_times = True
            return await self.run(connection, statement, parameters)

    async def _execute(
        self, connection: PoolProxiedConnection, statement: Statement, parameters: OneOrMore
    ) -> tuple[Sequence[Row], Sequence[Any]]:
        """Execute a statement that has no fast path, by SQLAlchemy."""
        in_transaction = _asyncpg(connection).is_in_transaction()
        adapted: Any = connection.dbapi_connection
        # SQLAlchemy's adapter must not begin a transaction inside an open one.
        adapted.autocommit = in_transaction
        try:
            return await execute(
                self._engine, connection, statement, parameters, in_transaction=in_transaction
            )
        except BaseException as error:
            raise self._error_to_raise(error, connection)  # noqa: B904 -- it has the cause
        finally:
            adapted.autocommit = False

    async def write(self, connection: PoolProxiedConnection, write: Write) -> None:
        """Execute a write on an acquired connection; raise its own errors."""
        try:
            rows = await self.run(connection, write.statement, write.parameters)
        except ConstraintViolated as error:
            raise write.error_for(error) from error.__cause__
        write.check(rows)

    async def control(self, connection: PoolProxiedConnection, sql: str) -> None:
        """Execute a statement without parameters and rows, such as BEGIN."""
        try:
            with self._events.around(connection, sql, ()):
                await _asyncpg(connection).execute(sql)
        except BaseException as error:
            raise self._error_to_raise(error, connection)  # noqa: B904 -- it has the cause

    def _error_to_raise(
        self, error: BaseException, connection: PoolProxiedConnection
    ) -> BaseException:
        """Return the error to raise instead, and invalidate the connection if it cannot be used."""
        meaning = meaning_of(error)
        if isinstance(error, asyncio.CancelledError | TimeoutError):
            self._stopped.add(connection)
        elif not connection.is_valid:
            self._last_loss = time.monotonic()  # SQLAlchemy has invalidated it
        elif isinstance(meaning, ConnectionUnfit):
            # If the server has become a standby, all other connections are unfit as well.
            connection.invalidate()
            self._queue.replace_all()
        elif _is_lost(error) or _asyncpg(connection).is_closed():
            connection.invalidate()
            self._last_loss = time.monotonic()
        if isinstance(error, asyncpg.InvalidCachedStatementError):
            self._schema_changed = time.monotonic()
        return meaning

    async def _drop_outdated_plans(self, connection: PoolProxiedConnection) -> None:
        """Drop the connection's prepared statements if the schema has changed since they were
        prepared. Outside a transaction asyncpg prepares them again by itself ("cached statement
        plan is invalid")."""
        if connection.info.get(_PLANS_SINCE, 0.0) < self._schema_changed:
            await _asyncpg(connection).reload_schema_state()
            connection.info[_PLANS_SINCE] = time.monotonic()

    async def _acquire_alive(self) -> PoolProxiedConnection:
        """Return a connection that is alive. A connection that was idle for a while, or idle when
        another one was lost, may be dead: it is probed first."""
        while True:
            connection = await self._queue.acquire()
            if _asyncpg(connection).is_closed():
                self._queue.discard(connection)
                continue
            last_use = connection.info.get(LAST_USE)
            proven_since = max(self._last_loss, time.monotonic() - PROVEN_FOR_SECONDS)
            if last_use is None or last_use > proven_since or await self._is_alive(connection):
                return connection

    async def _is_alive(self, connection: PoolProxiedConnection) -> bool:
        """Probe a connection. If it is dead, or if this is cancelled, discard it.

        A network that has dropped a connection does not say so. So the probe has a short timeout.
        After that all idle connections are discarded: to probe each would take as long.
        """
        try:
            with self._events.around(connection, PROBE, ()):
                await _asyncpg(connection).execute(PROBE, timeout=self._probe_seconds)
        except BaseException as error:
            # No statement of a client is running on it that would have to be stopped.
            self._queue.discard(connection)
            if not isinstance(error, Exception):
                raise
            self._last_loss = time.monotonic()
            self._queue.discard_idle()
            return False
        return True

    def _is_usable(self, connection: PoolProxiedConnection) -> bool:
        return connection.is_valid and connection not in self._stopped

    def _release(self, connection: PoolProxiedConnection) -> None:
        if connection in self._stopped:
            task = asyncio.create_task(self._stop(connection))
            self._stopping.add(task)
            task.add_done_callback(self._stopping.discard)
        else:
            self._queue.release(connection)

    async def _stop(self, connection: PoolProxiedConnection) -> None:
        """Stop the statement that is running on a connection, and discard the connection.

        Otherwise a statement that waits for a lock would still be executed when it gets the lock,
        after its request has ended. Until it is stopped the connection counts as in use, so that
        the server never has more connections than the pool.
        """
        with suppress(Exception):
            async with asyncio.timeout(STOP_SECONDS):
                # asyncpg sends this only after the server has confirmed the cancellation.
                await _asyncpg(connection).execute("ROLLBACK")
        self._stopped.discard(connection)
        self._queue.discard(connection)


class PostgresqlTransaction:
    def __init__(self, database: PostgresqlDatabase, connection: PoolProxiedConnection) -> None:
        self._database = database
        self._connection = connection
        self._applied: list[Write] = []

    async def fetch(self, statement: Statement, parameters: Parameters) -> Sequence[Row]:
        return await self._database.run(self._connection, statement, parameters)

    async def apply(self, writes: Sequence[Write]) -> None:
        for write in writes:
            await self._database.write(self._connection, write)
            self._applied.append(write)

    async def commit(self) -> None:
        try:
            await _committed(self._database.control(self._connection, "COMMIT"))
        except ConstraintViolated as error:  # one that is deferred
            raise error_of_commit(self._applied, error) from error.__cause__


async def _committed(commit: Awaitable[None]) -> None:
    """Await a commit, and record its outcome."""
    with Committing(asyncpg.PostgresError):
        try:
            await commit
        except ConnectionLost as error:
            raise OutcomeUnknown(
                "the connection to the database was lost during the commit"
            ) from error


def _asyncpg(connection: PoolProxiedConnection) -> "asyncpg.Connection[asyncpg.Record]":
    return cast("asyncpg.Connection[asyncpg.Record]", connection.driver_connection)


def _is_lost(error: BaseException) -> bool:
    """Return whether the error leaves its connection in an unknown state. An error that the server
    or the driver reports, such as a value that cannot be encoded, does not."""
    if not isinstance(error, Exception):
        return True
    return isinstance(error, OSError | asyncpg.InternalClientError)
