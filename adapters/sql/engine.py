"""From the settings to an engine, with what each database needs to be dependable."""

import sqlite3
from collections.abc import Awaitable, Callable, Generator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import aiosqlite
from pydantic import SecretStr
from sqlalchemy import URL, ExceptionContext, event, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from adapters.sql.database import Database
from adapters.sql.postgresql import PostgresqlDatabase
from adapters.sql.postgresql_connecting import LimitedConnect
from adapters.sql.sqlite import SqliteDatabase
from adapters.sql.sqlite_deadline import interrupt_late_statements

ASYNC_DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}
SQLITE_READERS = 4
# SQLite waits so much of the deadline for another process that writes.
BUSY_SHARE = 0.8
# A connection is waited for so much of the deadline, so that who gets one can still use it: who is
# cancelled in a statement costs the connection as well.
WAIT_SHARE = 0.4
LONGEST_WAIT_SECONDS = 2.0
WAL_ATTEMPTS = 5
# A connection comes back with nothing open: sessions end their transaction when they close, units
# of work before they give it back.
_NOTHING_TO_RESET = None
_DEADLINE = "request_deadline_seconds"


class DatabaseSettings(Protocol):
    """The settings that an engine is built from."""

    @property
    def database_url(self) -> SecretStr: ...

    @property
    def database_pool_size(self) -> int: ...

    @property
    def database_echo(self) -> bool: ...

    @property
    def request_deadline_seconds(self) -> float: ...


def parse_database_url(text: str) -> URL:
    """Return the address; raise `ValueError`, without repeating the address, if it is none or
    names a driver that is not async."""
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise ValueError(
            "the database URL is not of the form driver://user:password@host:port/database"
        ) from None
    backend = url.get_backend_name()
    if backend not in ASYNC_DRIVERS:
        raise ValueError(
            f"the database {backend!r} is not supported: use "
            + ", ".join(f"{driver}://" for driver in ASYNC_DRIVERS.values())
            + " or memory://"
        )
    if url.drivername != ASYNC_DRIVERS[backend]:
        raise ValueError(
            f"the database driver {url.drivername!r} is not the async one: "
            f"write {ASYNC_DRIVERS[backend]}:// instead of {url.drivername}://"
        )
    return url


def init_database(settings: DatabaseSettings) -> AsyncEngine:
    """Return the engine for the settings' database, which connects on first use.

    Raises `ValueError` if the URL cannot be used.
    """
    url = parse_database_url(settings.database_url.get_secret_value())
    deadline = settings.request_deadline_seconds
    if url.get_backend_name() == "postgresql":
        wait = _longest_wait(deadline)
        return create_async_engine(
            url,
            echo=settings.database_echo,
            hide_parameters=True,
            pool_size=settings.database_pool_size,
            max_overflow=0,
            pool_timeout=wait,
            pool_reset_on_return=_NOTHING_TO_RESET,
            connect_args={"async_creator_fn": partial(_Connecting, LimitedConnect(deadline, wait))},
        )
    if url.database and url.database != ":memory:" and url.query.get("mode") != "memory":
        Path(url.database.removeprefix("file:")).parent.mkdir(parents=True, exist_ok=True)
    return _sqlite_engine(url, settings.database_echo, deadline, connections=1, query_only=False)


def open_database(engine: AsyncEngine) -> Database:
    """Return the database that units of work use the engine through."""
    if engine.dialect.name == "postgresql":
        return PostgresqlDatabase(engine)
    if is_in_memory(engine):
        return SqliteDatabase(engine, engine)
    return SqliteDatabase(engine, _sqlite_readers(engine, SQLITE_READERS, echo=bool(engine.echo)))


def engine_to_check(engine: AsyncEngine) -> AsyncEngine:
    """Return an engine to find out whether the engine's database can be used, on a connection of
    its own: a pool whose connections are all in use is busy, not broken."""
    if engine.dialect.name == "postgresql":
        return create_async_engine(
            engine.url,
            hide_parameters=True,
            pool_size=1,
            max_overflow=0,
            # That this connection has died does not mean that the database has.
            pool_pre_ping=True,
        )
    return _sqlite_readers(engine, 1, echo=False)


def is_in_memory(engine: AsyncEngine) -> bool:
    """Tell whether the database is a SQLite one that ends with its connection."""
    database = engine.url.database
    return engine.dialect.name == "sqlite" and (
        not database or ":memory:" in database or engine.url.query.get("mode") == "memory"
    )


def _longest_wait(deadline: float) -> float:
    return min(LONGEST_WAIT_SECONDS, WAIT_SHARE * deadline)


class _Connecting:
    """A connect that may be dropped: the pool may find out that it cannot wait only when it has it
    in its hands, and a coroutine that is never awaited gives a warning."""

    def __init__(
        self, connect: Callable[..., Awaitable[Any]], *arguments: Any, **options: Any
    ) -> None:
        self._connect = partial(connect, *arguments, **options)

    def __await__(self) -> Generator[Any, None, Any]:
        return self._connect().__await__()


async def _connect_sqlite(*arguments: Any, **options: Any) -> aiosqlite.Connection:
    """Return a connection whose thread does not outlive it: after a failure the driver tells its
    thread to end, and it would report that to an event loop that may be closed by then.

    The thread has nothing left to do then but to end, so that waiting for it here takes no time.
    """
    connection = aiosqlite.connect(*arguments, **options)
    connection._thread.daemon = True
    try:
        return await connection
    except BaseException:
        connection._thread.join()
        raise


def _sqlite_readers(engine: AsyncEngine, connections: int, *, echo: bool) -> AsyncEngine:
    deadline = engine.get_execution_options()[_DEADLINE]
    return _sqlite_engine(engine.url, echo, deadline, connections=connections, query_only=True)


def _sqlite_engine(
    url: URL, echo: bool, deadline: float, *, connections: int, query_only: bool
) -> AsyncEngine:
    engine = create_async_engine(
        url,
        echo=echo,
        hide_parameters=True,
        execution_options={_DEADLINE: deadline},
        connect_args={
            "timeout": deadline * BUSY_SHARE,
            "async_creator_fn": partial(_Connecting, _connect_sqlite),
        },
        # Whoever writes takes a turn on the one connection. For a database in memory, which is
        # its connection, that keeps one session from seeing or undoing another's work.
        poolclass=AsyncAdaptedQueuePool,
        pool_size=connections,
        max_overflow=0,
        pool_timeout=_longest_wait(deadline),
        pool_reset_on_return=_NOTHING_TO_RESET,
    )

    @event.listens_for(engine.sync_engine, "connect")
    def prepare(dbapi_connection: Any, _record: object) -> None:
        try:
            _prepare(dbapi_connection, query_only)
        except BaseException:
            # Nobody else knows of it yet: the pool forgets what fails here.
            dbapi_connection.close()
            raise

    interrupt_late_statements(engine, deadline)
    event.listen(engine.sync_engine, "handle_error", _keep_the_connection)

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Any) -> None:
        # A transaction that reads first and writes later could find itself locked out.
        connection.exec_driver_sql("BEGIN" if query_only else "BEGIN IMMEDIATE")

    return engine


def _prepare(dbapi_connection: Any, query_only: bool) -> None:
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
    cursor.close()


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
