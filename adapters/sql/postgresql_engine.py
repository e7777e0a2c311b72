"""The engine for a PostgreSQL server."""

from functools import partial

from sqlalchemy import URL
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from adapters.sql.engine_settings import (
    NOTHING_TO_RESET,
    DatabaseSettings,
    DroppableConnect,
    longest_wait,
)
from adapters.sql.postgresql_connecting import LimitedConnect


def postgresql_engine(url: URL, settings: DatabaseSettings) -> AsyncEngine:
    """Return an engine with a pool of the settings' size, whose statements end within the
    settings' deadline."""
    deadline = settings.request_deadline_seconds
    wait = longest_wait(deadline)
    return create_async_engine(
        url,
        echo=settings.database_echo,
        hide_parameters=True,
        pool_size=settings.database_pool_size,
        max_overflow=0,
        pool_timeout=wait,
        pool_reset_on_return=NOTHING_TO_RESET,
        connect_args={
            "async_creator_fn": partial(DroppableConnect, LimitedConnect(deadline, wait))
        },
    )


def postgresql_engine_to_check(engine: AsyncEngine) -> AsyncEngine:
    """Return an engine for the same server with a single connection of its own."""
    return create_async_engine(
        engine.url,
        hide_parameters=True,
        pool_size=1,
        max_overflow=0,
        # That this connection has died does not mean that the database has.
        pool_pre_ping=True,
    )
