"""The thread that each aiosqlite connection lives in."""

import sqlite3
from collections.abc import Awaitable, Callable
from typing import TypeVar, cast

import aiosqlite
from sqlalchemy import PoolProxiedConnection

_T = TypeVar("_T")


def aiosqlite_of(lease: PoolProxiedConnection) -> aiosqlite.Connection:
    """Return the driver's own connection."""
    return cast(aiosqlite.Connection, lease.driver_connection)


async def on_thread(
    lease: PoolProxiedConnection, function: Callable[[sqlite3.Connection], _T]
) -> _T:
    """Return what the function makes of the bare connection, all of it in one hop to the thread.

    aiosqlite has no public call for this; SQLAlchemy's dialect does the same.
    """
    connection = aiosqlite_of(lease)
    execute = cast(Callable[..., Awaitable[_T]], connection._execute)
    return await execute(function, connection._conn)
