"""Who gives up while a connection to PostgreSQL is made leaves nothing in the log.

Without `_unless_given_up` (`adapters/sql/kernel/postgresql/hosts.py`), asyncio logs "Future
exception was never retrieved" for a cancellation between the connection and its first message.
"""

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from typing import Any

import pytest
from sqlalchemy import make_url

from adapters.sql.kernel.postgresql import hosts as postgresql_hosts
from application.kernel.errors import StorageUnavailable
from tests.kernel.contract.products import all_stored
from tests.kernel.database_settings import engine_for
from tests.kernel.warehouse.storages import SqlStorage

MOMENTS = 40


@asynccontextmanager
async def silent_server() -> AsyncIterator[int]:
    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with closing(writer):
            await reader.read()

    async with await asyncio.start_server(say_nothing, "127.0.0.1") as server:
        yield server.sockets[0].getsockname()[1]


@pytest.mark.parametrize("server", ["silent", "refusing", "real"])
async def test_a_cancelled_connect_leaves_no_line(
    postgresql_url: str, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql_hosts, "GRACE_SECONDS", 0.05)
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, each: complaints.append(each))
    async with silent_server() as port:
        of_server = {"silent": port, "refusing": 1, "real": make_url(postgresql_url).port}
        url = make_url(postgresql_url).set(port=of_server[server])
        for iterations in range(MOMENTS):
            storage = SqlStorage(engine_for(url.render_as_string(hide_password=False)))
            request = asyncio.create_task(all_stored(storage.units_of_work))
            for _ in range(iterations):
                await asyncio.sleep(0)
            request.cancel()
            with suppress(asyncio.CancelledError, StorageUnavailable):
                await request
            await storage.close()
        # The connections that were given up have ended by now, or do so on their own.
        while others := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(others)
        gc.collect()
        await asyncio.sleep(0)

    assert complaints == []
