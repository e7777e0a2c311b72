"""The engines for a SQLite database: one with a writing connection, others with readers."""

import sqlite3
from contextlib import suppress
from functools import partial
from typing import Any

import aiosqlite
from sqlalchemy import URL, ExceptionContext, event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from adapters.sql.kernel.engine_settings import (
    NOTHING_TO_RESET,
    DatabaseSettings,
    DroppableConnect,
    longest_wait,
)
from adapters.sql.kernel.execution.session_errors import wrap_value_errors
from adapters.sql.kernel.sqlite.aiosqlite_thread import connect
from adapters.sql.kernel.sqlite.deadline import DeadlineConnection, interrupt_late_statements
from adapters.sql.kernel.sqlite.file import SqliteFile

# The busy timeout, for which SQLite waits for a writer in another process, as a share of the
# request deadline.
BUSY_SHARE = 0.8
WAL_ATTEMPTS = 5
_DEADLINE = "request_deadline_seconds"
_FILE = "sqlite_file"


def sqlite_engine(url: URL, settings: DatabaseSettings) -> AsyncEngine:
    """Return an engine with a single connection, which may write."""
    return _engine(
        url,
        SqliteFile(),
        settings.database_echo,
        settings.request_deadline_seconds,
        connections=1,
        query_only=False,
    )


def sqlite_readers(engine: AsyncEngine, connections: int, *, echo: bool) -> AsyncEngine:
    """Return an engine for the same database whose connections are read-only (`query_only`)."""
    options = engine.get_execution_options()
    return _engine(
        engine.url,
        options[_FILE],
        echo,
        options[_DEADLINE],
        connections=connections,
        query_only=True,
    )


def _engine(
    url: URL,
    file: SqliteFile,
    echo: bool,
    deadline: float,
    *,
    connections: int,
    query_only: bool,
) -> AsyncEngine:
    engine = create_async_engine(
        url,
        echo=echo,
        hide_parameters=True,
        execution_options={_DEADLINE: deadline, _FILE: file},
        connect_args={
            "timeout": deadline * BUSY_SHARE,
            "factory": DeadlineConnection,
            "async_creator_fn": partial(DroppableConnect, _connect, file),
        },
        # All writers use the one connection, one after the other. An in-memory database consists
        # of its connection: a queue keeps a session from seeing or undoing another's work, which a
        # StaticPool would allow.
        poolclass=AsyncAdaptedQueuePool,
        pool_size=connections,
        max_overflow=0,
        pool_timeout=longest_wait(deadline),
        pool_reset_on_return=NOTHING_TO_RESET,
    )

    @event.listens_for(engine.sync_engine, "connect")
    def prepare(dbapi_connection: Any, _record: object) -> None:
        try:
            file.remember(_prepare(dbapi_connection, query_only))
        except BaseException:
            # The pool does not close a connection for which this listener fails.
            dbapi_connection.close()
            raise

    interrupt_late_statements(engine, deadline)
    event.listen(engine.sync_engine, "handle_error", _keep_the_connection)
    wrap_value_errors(engine)

    @event.listens_for(engine.sync_engine, "checkout")
    def check_file(*_: object) -> None:
        file.check()

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Any) -> None:
        if connection.connection.driver_connection.in_transaction:
            return  # the unit of work has begun it
        # A transaction that reads first and writes later could fail with SQLITE_BUSY at the write.
        connection.exec_driver_sql("BEGIN" if query_only else "BEGIN IMMEDIATE")

    return engine


async def _connect(file: SqliteFile, *arguments: Any, **options: Any) -> aiosqlite.Connection:
    file.check()
    return await connect(*arguments, **options)


def _prepare(dbapi_connection: Any, query_only: bool) -> str:
    """Set the PRAGMAs of a new connection; return the path of its file, or an empty string."""
    # The driver must not begin transactions by itself.
    dbapi_connection.isolation_level = None
    cursor = dbapi_connection.cursor()
    _switch_to_wal(cursor)
    # FULL flushes to the disk at each commit. NORMAL does not in WAL mode: a power failure could
    # undo a commit that a client has a response for.
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    if query_only:
        cursor.execute("PRAGMA query_only = ON")
    cursor.execute("PRAGMA database_list")
    (_, _, path) = cursor.fetchone()
    cursor.close()
    return str(path or "")


def _switch_to_wal(cursor: Any) -> None:
    """Switch to the write-ahead log, by which readers and the writer do not block each other.

    While another process writes, SQLite rejects the switch without waiting for the busy timeout
    (https://www.sqlite.org/wal.html). `BEGIN IMMEDIATE` does wait. The mode is persistent.
    """
    for _attempt in range(WAL_ATTEMPTS):
        with suppress(sqlite3.OperationalError):
            cursor.execute("PRAGMA journal_mode = WAL")
            return
        cursor.execute("BEGIN IMMEDIATE")
        cursor.execute("ROLLBACK")
    cursor.execute("PRAGMA journal_mode = WAL")


def _keep_the_connection(context: ExceptionContext) -> None:
    """Keep the connection of a cancelled statement: the thread finishes the statement, and then the
    rollback. If the connection were closed, an in-memory database would be lost; for a file, a
    connection that is closed between two rows keeps its locks until its cursor is deleted."""
    context.is_disconnect = False


if sqlite3.sqlite_version_info < (3, 35):  # pragma: no cover
    raise ImportError("SQLite 3.35 or newer is needed, for RETURNING")
