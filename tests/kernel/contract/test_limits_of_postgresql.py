"""The server enforces limits that are derived from the deadline; a pooler may reject them."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
from sqlalchemy import make_url, text

from tests.kernel.database_settings import engine_for

LIMITS = ["statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"]


async def limits_of(url: str) -> list[str]:
    engine = engine_for(url)
    async with engine.connect() as connection:
        limits = [str(await connection.scalar(text(f"SHOW {name}"))) for name in LIMITS]
    await engine.dispose()
    return limits


async def test_the_server_has_limits_below_the_deadline(postgresql_url: str) -> None:
    assert await limits_of(postgresql_url) == ["4s", "3s", "5s"]


async def test_a_pooler_that_rejects_limits_is_used_without(
    postgresql_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Without the second attempt of `LimitedConnect`, nothing can be read."""
    url = make_url(postgresql_url)
    assert url.host
    async with pooler(url.host, url.port or 5432) as port:
        through = url.set(host="127.0.0.1", port=port).render_as_string(hide_password=False)
        with caplog.at_level(logging.WARNING):
            limits = await limits_of(through)

    assert limits == ["0", "0", "0"]
    assert [record for record in caplog.records if "ALTER ROLE" in record.getMessage()]


@asynccontextmanager
async def pooler(host: str, port: int) -> AsyncIterator[int]:
    """Forward everything, but reject a start with settings as PgBouncer does."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with asyncio.TaskGroup() as directions:
            start = await reader.read(4096)
            if (80877103).to_bytes(4) in start:  # no TLS here
                writer.write(b"N")
                start = await reader.read(4096)
            if b"statement_timeout" in start:
                fields = b"SFATAL\0C08P01\0Munsupported startup parameter: statement_timeout\0\0"
                writer.write(b"E" + (len(fields) + 4).to_bytes(4) + fields)
                writer.close()
                return
            server_reader, server_writer = await asyncio.open_connection(host, port)
            server_writer.write(start)
            directions.create_task(_pass(reader, server_writer))
            directions.create_task(_pass(server_reader, writer))

    listener = await asyncio.start_server(serve, "127.0.0.1")
    async with listener:
        yield listener.sockets[0].getsockname()[1]


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while chunk := await reader.read(65_536):
            writer.write(chunk)
        writer.close()
