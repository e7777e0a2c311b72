"""A service is ready when its requests can be served: its tables read and written."""

import asyncio
import os
import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Column, Integer, MetaData, Table, make_url

from adapters.sql.kernel.usability import check_privileges
from application.kernel.errors import StorageUnavailable
from entrypoints.kernel.background import readiness
from tests.kernel.database_settings import engine_for
from tests.kernel.integration.problem_document import problem_of
from tests.kernel.integration.service import PRODUCTS, client_of, create, settings_for
from tests.kernel.postgresql_databases import empty_database, run_statement
from tests.kernel.warehouse.app import create_app
from tests.kernel.warehouse.storages import migrate_and_create_tables

PAGE_SIZE = 4096


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "CHECK_EVERY_SECONDS", 0.01)


async def migrated(url: str) -> None:
    engine = engine_for(url)
    await migrate_and_create_tables(engine)
    await engine.dispose()


@asynccontextmanager
async def service_on(url: str) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(create_app(settings_for(url))) as client:
        yield client


async def until_ready_is(status: int, client: httpx.AsyncClient) -> None:
    async with asyncio.timeout(10):
        while (await client.get("/health/ready")).status_code != status:
            await asyncio.sleep(0.01)


def reasons(log_lines: list[Any]) -> str:
    return " ".join(line["reason"] for line in log_lines if line["event"] == "not ready")


def remove(file: Path) -> None:
    file.unlink()


def replace(file: Path) -> None:
    copy = file.with_suffix(".new")
    shutil.copy(file, copy)
    copy.replace(file)


@pytest.mark.parametrize("disturb", [remove, replace])
async def test_a_sqlite_file_that_is_gone_takes_no_writes(
    tmp_path: Path, disturb: Callable[[Path], None], log_lines: list[Any]
) -> None:
    file, aside = tmp_path / "items.db", tmp_path / "aside.db"
    async with service_on(f"sqlite+aiosqlite:///{file}") as client:
        await create(client)
        await until_ready_is(200, client)
        os.link(file, aside)
        disturb(file)

        problem_of(await client.post(PRODUCTS, json={"name": "lost"}), 503)
        problem_of(await client.get(PRODUCTS), 503)
        await until_ready_is(503, client)

        aside.replace(file)
        await until_ready_is(200, client)
        await create(client)
        assert len((await client.get(PRODUCTS)).json()) == 2

    assert "removed or replaced" in reasons(log_lines)


async def test_a_damaged_sqlite_file_is_not_ready(tmp_path: Path, log_lines: list[Any]) -> None:
    file = tmp_path / "items.db"
    url = f"sqlite+aiosqlite:///{file}"
    await migrated(url)
    with closing(sqlite3.connect(file)) as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.executemany(
            "INSERT INTO products (id, name, version, created_at, updated_at)"
            " VALUES (?, 'lamp', 1, '2026-01-01', '2026-01-01')",
            ((f"{number:032x}",) for number in range(500)),
        )
        connection.commit()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with file.open("r+b") as damaged:
        damaged.seek(pages * PAGE_SIZE)
        damaged.write(os.urandom(file.stat().st_size - pages * PAGE_SIZE))

    async with service_on(url) as client:
        problem_of(await client.get(PRODUCTS), 503)
        assert (await client.get("/health/ready")).status_code == 503

    assert "SQLITE_CORRUPT" in reasons(log_lines)


async def test_a_sqlite_file_that_can_only_be_read_is_not_ready(
    tmp_path: Path, log_lines: list[Any]
) -> None:
    file = tmp_path / "items.db"
    await migrated(f"sqlite+aiosqlite:///{file}")
    async with service_on(f"sqlite+aiosqlite:///file:{file}?mode=ro&uri=true") as client:
        assert (await client.get("/health/ready")).status_code == 503
        assert (await client.get(PRODUCTS)).status_code == 200
        problem_of(await client.post(PRODUCTS, json={"name": "lamp"}), 503)

    assert "SQLITE_READONLY" in reasons(log_lines)


async def test_a_sqlite_file_that_another_process_writes_is_ready(tmp_path: Path) -> None:
    file = tmp_path / "items.db"
    app = create_app(settings_for(f"sqlite+aiosqlite:///{file}"))
    async with client_of(app):
        with closing(sqlite3.connect(file)) as other:
            other.execute("BEGIN IMMEDIATE")
            await asyncio.wait_for(app.state.container.storage().check(), 1)


@pytest.fixture
def role(empty_postgresql_url: str) -> Iterator[str]:
    """The address of a migrated database for a user who has no rights on its tables."""
    name = f"role_{make_url(empty_postgresql_url).database}"
    asyncio.run(migrated(empty_postgresql_url))
    run_statement(empty_postgresql_url, f"CREATE ROLE {name} LOGIN PASSWORD 'hunter2'")
    yield (
        make_url(empty_postgresql_url)
        .set(username=name, password="hunter2")
        .render_as_string(hide_password=False)
    )
    run_statement(empty_postgresql_url, f"DROP OWNED BY {name}; DROP ROLE {name}")


async def test_missing_privileges_are_not_ready_until_the_grants_in_the_log(
    role: str, empty_postgresql_url: str, log_lines: list[Any]
) -> None:
    async with service_on(role) as client:
        problem_of(await client.get("/health/ready"), 503)
        problem_of(await client.get(PRODUCTS), 503)
        _, _, grants = reasons(log_lines).partition("rights: ")
        assert "GRANT SELECT ON alembic_version TO " in grants
        assert "GRANT SELECT, INSERT, UPDATE, DELETE ON products TO " in grants

        await asyncio.to_thread(run_statement, empty_postgresql_url, grants)
        await until_ready_is(200, client)
        await create(client)

        user = make_url(role).username
        revoke = f"REVOKE DELETE ON products FROM {user}"
        await asyncio.to_thread(run_statement, empty_postgresql_url, revoke)
        await until_ready_is(503, client)
    assert f"GRANT DELETE ON products TO {user}" in reasons(log_lines)


async def test_a_table_says_which_privileges_the_service_needs(role: str) -> None:
    columns = Column("id", Integer, primary_key=True)
    reading = {"privileges": ("SELECT",)}
    table = Table("products", MetaData(), columns, info=reading)
    engine = engine_for(role)
    async with engine.connect() as connection:
        with pytest.raises(StorageUnavailable, match="GRANT SELECT ON products"):
            await check_privileges(connection, [table])
    await engine.dispose()


async def test_a_server_that_may_only_be_read_is_not_ready(
    empty_postgresql_url: str, postgresql_server_url: str, log_lines: list[Any]
) -> None:
    await migrated(empty_postgresql_url)
    database = make_url(empty_postgresql_url).database
    change = f"ALTER DATABASE {database} SET default_transaction_read_only = on"
    await asyncio.to_thread(run_statement, postgresql_server_url, change)
    async with service_on(empty_postgresql_url) as client:
        problem_of(await client.get("/health/ready"), 503)
        change = f"ALTER DATABASE {database} RESET default_transaction_read_only"
        await asyncio.to_thread(run_statement, postgresql_server_url, change)
        await until_ready_is(200, client)

    assert "may only be read" in reasons(log_lines)


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
async def test_a_database_that_cannot_store_every_text_is_rejected_by_name(
    postgresql_server_url: str, encoding: str, log_lines: list[Any]
) -> None:
    options = f"ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
    database = empty_database(postgresql_server_url, options)
    url = await asyncio.to_thread(database.__enter__)
    try:
        with pytest.raises(StorageUnavailable, match=f"encoding is {encoding}.*'UTF8'"):
            await migrated(url)
        async with service_on(url) as client:
            problem_of(await client.get("/health/ready"), 503)
    finally:
        await asyncio.to_thread(database.__exit__, None, None, None)

    assert f"encoding is {encoding}" in reasons(log_lines)
