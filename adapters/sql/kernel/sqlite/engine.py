"""The engines for a SQLite database: one that writes, and others that only read."""

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

# SQLite waits so much of the deadline for another process that writes.
BUSY_SHARE = 0.8
WAL_ATTEMPTS = 5
_DEADLINE = "request_deadline_seconds"
_FILE = "sqlite_file"


def sqlite_engine(url: URL, settings: DatabaseSettings) -> AsyncEngine:
    """Return an engine with one connection, which may write."""
    return _engine(
        url,
        SqliteFile(),
        settings.database_echo,
        settings.request_deadline_seconds,
        connections=1,
        query_only=False,
    )


def sqlite_readers(engine: AsyncEngine, connections: int, *, echo: bool) -> AsyncEngine:
    """Return an engine for the same database whose connections cannot write."""
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
        # Whoever writes takes a turn on the one connection. For a database in memory, which is
        # its connection, that keeps one session from seeing or undoing another's work.
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
            # Nobody else knows of it yet: the pool forgets what fails here.
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
            return  # of the unit of work that the statement belongs to
        # A transaction that reads first and writes later could find itself locked out.
        connection.exec_driver_sql("BEGIN" if query_only else "BEGIN IMMEDIATE")

    return engine


async def _connect(file: SqliteFile, *arguments: Any, **options: Any) -> aiosqlite.Connection:
    file.check()
    return await connect(*arguments, **options)


def _prepare(dbapi_connection: Any, query_only: bool) -> str:
    """Set a new connection up, and return the path of its file, if it has one."""
    # The driver must not open transactions by itself.
    dbapi_connection.isolation_level = None
    cursor = dbapi_connection.cursor()
    _switch_to_wal(cursor)
    # One flush to the disk for each commit; NORMAL makes none in WAL mode, and a power
    # failure could take back what a client was told.
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    if query_only:
        cursor.execute("PRAGMA query_only = ON")
    cursor.execute("PRAGMA database_list")
    (_, _, path) = cursor.fetchone()
    cursor.close()
    return str(path or "")


def _switch_to_wal(cursor: Any) -> None:
    """Make readers and the writer work side by side.

    SQLite refuses the first switch while someone writes, without waiting for the busy timeout
    (https://www.sqlite.org/wal.html); `BEGIN IMMEDIATE` does wait. Once made, it lasts.
    """
    for _attempt in range(WAL_ATTEMPTS):
        with suppress(sqlite3.OperationalError):
            cursor.execute("PRAGMA journal_mode = WAL")
            return
        cursor.execute("BEGIN IMMEDIATE")
        cursor.execute("ROLLBACK")
    cursor.execute("PRAGMA journal_mode = WAL")


def _keep_the_connection(context: ExceptionContext) -> None:
    """A cancellation ends no connection: the thread goes on with the statement, and the rollback
    waits its turn there. A database in memory would end with its connection; of one in a file, a
    connection closed between two rows keeps its locks until its cursor is forgotten."""
    context.is_disconnect = False


if sqlite3.sqlite_version_info < (3, 35):  # pragma: no cover
    raise ImportError("SQLite 3.35 or newer is needed, for RETURNING")
