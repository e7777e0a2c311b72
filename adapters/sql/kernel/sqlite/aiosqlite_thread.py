"""The thread of an aiosqlite connection: the one place that uses what aiosqlite does not document.

tests/unit/test_driver_internals.py says what a new version of it has changed.
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
    """Return what the function makes of the bare connection, in one hop to its thread. SQLAlchemy's
    dialect does the same."""
    execute = cast(Callable[..., Awaitable[_T]], connection._execute)
    return await execute(function, connection._conn)


async def connect(*arguments: Any, **options: Any) -> aiosqlite.Connection:
    """Return a connection whose thread does not outlive it: after a failure the driver tells its
    thread to end, and it would report that to an event loop that may be closed by then.

    The thread has nothing left to do then but to end, so that waiting for it here takes no time.
    """
    connection = aiosqlite.connect(*arguments, **options)
    connection._thread.daemon = True
    connecting = asyncio.ensure_future(connection)
    try:
        return await asyncio.shield(connecting)
    except asyncio.CancelledError:
        # The driver, cancelled itself, would forget what its thread is about to open.
        await asyncio.wait([connecting])
        if not connecting.exception():
            await connection.close()
        raise
    except BaseException:
        connection._thread.join()
        raise
