"""The engines for a PostgreSQL server."""

from functools import partial
from typing import Any

from sqlalchemy import URL, Dialect, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from adapters.sql.kernel.addresses.postgresql_address import PostgresqlAddress
from adapters.sql.kernel.engine_settings import (
    NOTHING_TO_RESET,
    DatabaseSettings,
    DroppableConnect,
    longest_wait,
)
from adapters.sql.kernel.execution.session_errors import wrap_os_errors
from adapters.sql.kernel.postgresql.connecting import LimitedConnect, RouteChanged

CHECK_MAX_AGE_SECONDS = 60
_CONNECT = "postgresql_connect"
# Rejected timeouts and a detected pooler: each can make one attempt fail.
_ATTEMPTS = 3


def postgresql_engine(url: URL, settings: DatabaseSettings) -> AsyncEngine:
    """Return an engine with a connection pool of the settings' size. Its statements end within the
    settings' request deadline."""
    deadline = settings.request_deadline_seconds
    wait = longest_wait(deadline)
    address = PostgresqlAddress.of(url)
    return _engine(
        address.url,
        LimitedConnect(address, deadline, wait, settings.service_name),
        echo=settings.database_echo,
        pool_size=settings.database_pool_size,
        pool_timeout=wait,
        pool_recycle=settings.database_connection_max_age_seconds,
        pool_reset_on_return=NOTHING_TO_RESET,
    )


def postgresql_engine_to_check(engine: AsyncEngine) -> AsyncEngine:
    """Return an engine with a single connection that connects as the given one does."""
    return _engine(
        engine.url,
        engine.get_execution_options()[_CONNECT],
        pool_size=1,
        # A dead connection does not mean that the database is down.
        pool_pre_ping=True,
        # Only a new connection shows that new connections can be made.
        pool_recycle=CHECK_MAX_AGE_SECONDS,
    )


def _engine(url: URL, connect: LimitedConnect, **options: Any) -> AsyncEngine:
    engine = create_async_engine(
        url,
        hide_parameters=True,
        max_overflow=0,
        execution_options={_CONNECT: connect},
        connect_args={"async_creator_fn": partial(DroppableConnect, connect)},
        **options,
    )
    wrap_os_errors(engine)

    @event.listens_for(engine.sync_engine, "do_connect")
    def do_connect(
        dialect: Dialect, _record: object, arguments: list[Any], options: dict[str, Any]
    ) -> DBAPIConnection:
        for _ in range(_ATTEMPTS - 1):
            try:
                return dialect.connect(*arguments, **options, **connect.for_sqlalchemy)
            except RouteChanged:
                pass
        return dialect.connect(*arguments, **options, **connect.for_sqlalchemy)

    return engine
