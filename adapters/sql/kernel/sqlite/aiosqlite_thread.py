"""The thread of an aiosqlite connection: the only module that uses aiosqlite's internals.

tests/kernel/unit/test_driver_internals.py says what broke if an upgrade changes them.
"""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, cast

import aiosqlite

_T = TypeVar("_T")


async def on_thread(
    connection: aiosqlite.Connection, function: Callable[[sqlite3.Connection], _T]
) -> _T:
    """Call the function with the `sqlite3` connection, on its thread, and return the result.
    SQLAlchemy's dialect does the same."""
    execute = cast(Callable[..., Awaitable[_T]], connection._execute)
    return await execute(function, connection._conn)


async def connect(*arguments: Any, **options: Any) -> aiosqlite.Connection:
    """Connect, and return the connection. If that fails, wait until the connection's thread has
    ended.

    Otherwise the thread could report its end to an event loop that is closed by then. The thread
    has nothing else left to do, so that the wait is short.
    """
    connection = aiosqlite.connect(*arguments, **options)
    connection._thread.daemon = True
    connecting = asyncio.ensure_future(connection)
    try:
        return await asyncio.shield(connecting)
    except asyncio.CancelledError:
        # If the driver were cancelled, the connection that its thread is opening would leak.
        await asyncio.wait([connecting])
        if not connecting.exception():
            await connection.close()
        raise
    except BaseException:
        connection._thread.join()
        raise
