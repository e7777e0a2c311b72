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
# Settings that are rejected, and a pooler that is found: each is noticed once.
_ATTEMPTS = 3


def postgresql_engine(url: URL, settings: DatabaseSettings) -> AsyncEngine:
    """Return an engine with a pool of the settings' size, whose statements end within the
    settings' deadline."""
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
    """Return an engine that connects as the given one does, with a single connection of its
    own."""
    return _engine(
        engine.url,
        engine.get_execution_options()[_CONNECT],
        pool_size=1,
        # That this connection has died does not mean that the database has.
        pool_pre_ping=True,
        # Nor does it show that new connections can be made, unless it is one.
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
