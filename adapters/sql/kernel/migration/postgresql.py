"""Migrate PostgreSQL behind an advisory lock, with a lock timeout, and stoppable.

A second connection holds the lock that keeps others from migrating at the same time, in a
transaction of its own: so the lock outlives `autocommit_block`, a transaction-pooling proxy keeps
it, and `CREATE INDEX CONCURRENTLY` does not wait for it, since an idle transaction has no snapshot.
A third one sees what the migration waits for, and can cancel it.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Self

from sqlalchemy import Connection, RowMapping, TextClause, event, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from adapters.sql.kernel.engine import engine_to_check
from adapters.sql.kernel.migration.migration_errors import LockTaken, lock_taken

LOCK_SECONDS = 1.0
"""How long one attempt waits for a lock. Requests for the table wait behind it: it must be shorter
than their own timeouts for a connection and for a lock."""
MIGRATING_SECONDS = 5.0
"""How long one attempt waits for another process that migrates."""
_WATCH_SECONDS = 0.2
_ASK_AGAIN_SECONDS = 0.1
# Any number, as long as all versions of the service use the same.
_LOCK = 7_216_538_203_114_905
_LIMITS = {
    "lock_timeout": LOCK_SECONDS,
    "statement_timeout": 0,
    "idle_in_transaction_session_timeout": 0,
}
_TRY = text("SELECT pg_try_advisory_xact_lock(:lock)")
_MIGRATING_PROCESS = text(
    """
    SELECT holder.pid, activity.usename, activity.application_name, activity.state,
           round(extract(epoch FROM clock_timestamp() - activity.xact_start)) AS seconds
      FROM pg_locks AS holder LEFT JOIN pg_stat_activity AS activity USING (pid)
     WHERE holder.locktype = 'advisory' AND holder.granted AND holder.objsubid = 1
       AND holder.database = (SELECT oid FROM pg_database WHERE datname = current_database())
       AND holder.classid = :high AND holder.objid = :low
    """
)
_BLOCKING_PROCESS = text(
    """
    SELECT holder.pid, activity.usename, activity.application_name, activity.state,
           round(extract(epoch FROM clock_timestamp() - activity.xact_start)) AS seconds,
           waiting.mode, waiting.locktype, waiting.relation::regclass::text AS relation
      FROM pg_locks AS waiting
      CROSS JOIN unnest(pg_blocking_pids(waiting.pid)) AS holder (pid)
      LEFT JOIN pg_stat_activity AS activity ON activity.pid = holder.pid
     WHERE waiting.pid = :pid AND NOT waiting.granted
     LIMIT 1
    """
)


class PostgresqlMigration:
    def __init__(self, beside: AsyncConnection) -> None:
        self._beside = beside
        self._pid: int | None = None
        self._blocked: str | None = None
        # The second connection executes one statement at a time.
        self._lock = asyncio.Lock()
        self.steps: list[str] = []
        self.commits = False

    @classmethod
    @asynccontextmanager
    async def prepared(
        cls, engine: AsyncEngine, _connection: AsyncConnection
    ) -> AsyncIterator[Self]:
        """Hold the advisory lock, and watch what the migration waits for."""
        engines = [engine_to_check(engine) for _ in range(2)]
        try:
            async with engines[0].connect() as locking, engines[1].connect() as beside:
                await _lock(locking)
                run = cls(beside)
                watcher = asyncio.create_task(run._watch())
                try:
                    yield run
                except Exception as error:
                    if run._blocked and lock_taken(error):
                        raise LockTaken(run._blocked) from error
                    raise
                finally:
                    watcher.cancel()
                    with suppress(asyncio.CancelledError):
                        await watcher
        finally:
            for each in engines:
                await each.dispose()

    def begin(self, connection: Connection) -> None:
        """Limit waits for a lock to `LOCK_SECONDS` and let statements run without a timeout,
        whatever the role's settings are."""
        _set_limits(connection)
        event.listen(connection, "begin", _set_limits)  # also after an `autocommit_block`
        self._pid = connection.scalar(text("SELECT pg_backend_pid()"))

    def check(self, connection: Connection) -> None:
        """Do nothing: PostgreSQL has checked every constraint."""

    async def stop(self) -> None:
        """Let the server cancel the statement that is running."""
        if self._pid:
            await self._ask(text("SELECT pg_cancel_backend(:pid)"))

    async def _ask(self, question: TextClause) -> RowMapping | None:
        """Return the first row of a query about the migration's server process, `:pid`."""
        async with self._lock:
            found = await self._beside.execute(question, {"pid": self._pid})
            row = found.mappings().first()
            # The server's statistics do not change within a transaction.
            await self._beside.rollback()
        return row

    async def _watch(self) -> None:
        """Record periodically which process blocks the migration."""
        with suppress(Exception):  # it only improves an error message
            while True:
                await asyncio.sleep(_WATCH_SECONDS)
                if self._pid:
                    row = await self._ask(_BLOCKING_PROCESS)
                    if row:
                        lock = row["relation"] or f"a {row['locktype']}"
                        self._blocked = f"{row['mode']} on {lock} is held by {_named(row)}"


def _set_limits(connection: Connection) -> None:
    for name, seconds in _LIMITS.items():
        connection.exec_driver_sql(f"SET LOCAL {name} = {round(seconds * 1000)}")


async def _lock(connection: AsyncConnection) -> None:
    """Acquire the migrations' lock, or raise `LockTaken`.

    It tries in short transactions: a transaction that waits in the server for an advisory lock has
    a snapshot, for which `CREATE INDEX CONCURRENTLY` would wait.
    """
    end = time.monotonic() + MIGRATING_SECONDS
    while not await connection.scalar(_TRY, {"lock": _LOCK}):
        if time.monotonic() > end:
            keys = {"high": _LOCK >> 32, "low": _LOCK & 0xFFFFFFFF}
            holder = (await connection.execute(_MIGRATING_PROCESS, keys)).mappings().first()
            by = f"by {_named(holder)}" if holder else "elsewhere"
            raise LockTaken(f"the database is being migrated {by}")
        await connection.rollback()
        await asyncio.sleep(_ASK_AGAIN_SECONDS)
    # This also ends the portal of the query, whose snapshot would last as long as the transaction.
    await connection.run_sync(_set_limits)


def _named(row: RowMapping) -> str:
    """Return the description of a server process: its id and what is known of it."""
    known = [
        f"user {row['usename']}" if row["usename"] else "",
        f"application {row['application_name']}" if row["application_name"] else "",
        f"{row['state']} for {row['seconds']} s" if row["seconds"] is not None else "",
    ]
    return f"process {row['pid']} ({', '.join(filter(None, known)) or 'nothing more is shown'})"
