"""Whether the process lives, and whether it can serve."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from tests.kernel.integration.problem_document import problem_of
from tests.kernel.integration.service import PRODUCTS, client_of, settings_for
from tests.kernel.postgresql_databases import run_statement
from tests.kernel.processes.free_port import free_port
from tests.kernel.revisions import REVISIONS
from tests.kernel.warehouse.app import create_app

PROMPTLY = 2.5


async def assert_not_ready(client: httpx.AsyncClient) -> None:
    started = time.perf_counter()
    response = await client.get("/health/ready")

    assert time.perf_counter() - started < PROMPTLY
    problem_of(response, 503)
    assert response.headers["Retry-After"]
    live = await client.get("/health/live")
    assert (live.status_code, live.json()) == (200, {"status": "ok"})


async def test_it_lives_and_is_ready(client: httpx.AsyncClient) -> None:
    for path in ("/health/live", "/health/ready"):
        response = await client.get(path)
        assert (response.status_code, response.json()) == (200, {"status": "ok"})
        assert response.headers["Content-Type"] == "application/json"
        assert response.headers["Cache-Control"] == "no-store"


async def test_it_is_not_ready_on_an_empty_database(empty_postgresql_url: str) -> None:
    async with client_of(create_app(settings_for(empty_postgresql_url))) as client:
        await assert_not_ready(client)
        problem_of(await client.get(PRODUCTS), 503)


@pytest.mark.parametrize(
    "change",
    [
        *(f"UPDATE alembic_version SET version_num = '{each}'" for each in REVISIONS[-2:-1]),
        "DELETE FROM alembic_version",
        "DROP TABLE alembic_version",
    ],
)
async def test_it_is_not_ready_on_an_older_schema(empty_postgresql_url: str, change: str) -> None:
    from tests.kernel.database_settings import engine_for
    from tests.kernel.warehouse.storages import migrate_and_create_tables

    engine = engine_for(empty_postgresql_url)
    await migrate_and_create_tables(engine)
    await engine.dispose()
    async with client_of(create_app(settings_for(empty_postgresql_url))) as client:
        assert (await client.get("/health/ready")).status_code == 200
        await asyncio.to_thread(run_statement, empty_postgresql_url, change)
        async with asyncio.timeout(PROMPTLY):
            while (await client.get("/health/ready")).status_code == 200:
                await asyncio.sleep(0.02)
        await assert_not_ready(client)


async def test_it_starts_and_is_not_ready_while_the_database_is_down() -> None:
    url = f"postgresql+asyncpg://service:hunter2@127.0.0.1:{free_port()}/items"
    async with client_of(create_app(settings_for(url))) as client:
        await assert_not_ready(client)
        problem_of(await client.get(PRODUCTS), 503)
        problem_of(await client.post(PRODUCTS, json={"name": "lamp"}), 503)


async def test_it_is_not_ready_when_the_database_does_not_respond() -> None:
    async with silent_server() as port:
        url = f"postgresql+asyncpg://service:hunter2@127.0.0.1:{port}/items"
        async with client_of(create_app(settings_for(url))) as client:
            await assert_not_ready(client)


async def test_it_is_not_ready_with_a_wrong_password(empty_postgresql_url: str) -> None:
    from sqlalchemy import make_url

    url = make_url(empty_postgresql_url).set(password="hunter2")
    async with client_of(
        create_app(settings_for(url.render_as_string(hide_password=False)))
    ) as client:
        await assert_not_ready(client)


@asynccontextmanager
async def silent_server() -> AsyncIterator[int]:
    """Take connections and say nothing."""
    end = asyncio.Event()

    async def say_nothing(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await end.wait()
        writer.close()

    server = await asyncio.start_server(say_nothing, "127.0.0.1")
    async with server:
        yield server.sockets[0].getsockname()[1]
        end.set()
