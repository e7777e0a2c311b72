"""A plain session that the database fails gets the response of a use case that it fails: 503, one
line in the outage log and no traceback; 409 or 422 where what was sent is the reason."""

import asyncio
from typing import Annotated, Any

import pytest
from fastapi import Depends, FastAPI
from sqlalchemy import insert, make_url, text, update
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from entrypoints.http.dependencies import get_async_session, get_async_sessionmaker
from tests.kernel.integration.problem_document import problem_of
from tests.kernel.integration.service import client_of, create, settings_for
from tests.kernel.postgresql_databases import end_all_connections, run_statement
from tests.kernel.processes.free_port import free_port
from tests.kernel.warehouse.app import create_app
from tests.kernel.warehouse.sql import products

Session = Annotated[AsyncSession, Depends(get_async_session)]
Scoped = Annotated[AsyncSession, Depends(get_async_session, scope="function")]
Sessions = Annotated[async_sessionmaker[AsyncSession], Depends(get_async_sessionmaker)]
PATHS = ["/session", "/scoped", "/dependency", "/sessionmaker"]

SET_NAME = update(products).values(name="")
SLOW_ON_SQLITE = (
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
)


def app_that_runs(url: str, statement: Any, **settings: Any) -> FastAPI:
    """Return an app whose routes run a statement, each in one of the ways that are documented."""
    app = create_app(settings_for(url, **settings))
    to_run = text(statement) if isinstance(statement, str) else statement

    async def run(session: Session) -> str:
        await session.execute(to_run)
        return "done"

    @app.get("/session")
    async def session(session: Session) -> str:
        return await run(session)

    @app.get("/scoped")
    async def scoped(session: Scoped) -> str:
        return await run(session)

    @app.get("/dependency")
    async def dependency(found: Annotated[str, Depends(run)]) -> str:
        return found

    @app.get("/sessionmaker")
    async def sessionmaker(sessions: Sessions) -> str:
        async with sessions() as session:
            return await run(session)

    return app


def assert_one_line(log_lines: list[Any], words: str) -> None:
    assert not [line for line in log_lines if line["event"] == "unhandled error"]
    (line, *_) = [line for line in log_lines if line["event"] == "requests failed"]
    assert words in line["reason"]


@pytest.mark.parametrize("path", PATHS)
async def test_a_database_that_is_down_is_a_503(path: str, log_lines: list[Any]) -> None:
    url = f"postgresql+asyncpg://service:hunter2@127.0.0.1:{free_port()}/items"
    async with client_of(app_that_runs(url, "SELECT 1")) as client:
        response = await client.get(path)

    problem_of(response, 503)
    assert_one_line(log_lines, "the connection was refused")
    assert "hunter2" not in str(log_lines)


@pytest.mark.parametrize("path", PATHS)
async def test_a_pool_without_a_free_connection_is_a_503(
    path: str, database_url: str, log_lines: list[Any]
) -> None:
    app = app_that_runs(database_url, "SELECT 1", database_pool_size=1, request_deadline_seconds=2)
    async with client_of(app) as client, app.state.container.engine().connect():
        problem_of(await client.get(path), 503)

    assert_one_line(log_lines, "no connection to the database became free in time")


@pytest.mark.parametrize("path", PATHS)
async def test_a_late_statement_is_a_503(path: str, database_url: str) -> None:
    slow = SLOW_ON_SQLITE if database_url.startswith("sqlite") else "SELECT pg_sleep(60)"
    app = app_that_runs(database_url, slow, request_deadline_seconds=0.5)
    async with client_of(app) as client:
        problem_of(await client.get(path), 503)


async def test_a_statement_that_postgresql_stops_is_a_line_in_the_log(
    postgresql_url: str, log_lines: list[Any]
) -> None:
    app = create_app(settings_for(postgresql_url))

    @app.get("/stopped")
    async def stopped(session: Session) -> None:
        await session.execute(text("SET LOCAL statement_timeout = 1"))
        await session.execute(text("SELECT pg_sleep(60)"))

    async with client_of(app) as client:
        problem_of(await client.get("/stopped"), 503)

    assert_one_line(log_lines, "stopped a statement")


async def test_a_connection_that_ended_meanwhile_is_a_503_once(
    postgresql_url: str, log_lines: list[Any]
) -> None:
    app = app_that_runs(postgresql_url, "SELECT 1", database_pool_size=3)

    @app.get("/ended")
    async def ended(session: Session) -> None:
        await session.execute(text("SELECT 1"))
        await asyncio.to_thread(end_all_connections, postgresql_url)
        await session.execute(text("SELECT 1"))

    @app.get("/ended-before-commit")
    async def ended_before_commit(session: Session) -> None:
        await session.execute(text("SELECT 1"))
        await asyncio.to_thread(end_all_connections, postgresql_url)
        await session.commit()

    async with client_of(app) as client:
        problem_of(await client.get("/ended"), 503)
        unknown = problem_of(await client.get("/ended-before-commit"), 503)
        assert (await client.get("/session")).status_code == 200

    assert "Nothing was changed" not in unknown["detail"]
    assert_one_line(log_lines, "the database")


@pytest.mark.parametrize("path", PATHS)
async def test_a_constraint_that_no_code_names_is_a_409(path: str, database_url: str) -> None:
    same = insert(products).from_select([column.name for column in products.c], products.select())
    app = app_that_runs(database_url, same)
    async with client_of(app) as client:
        await create(client)
        problem_of(await client.get(path), 409)


@pytest.mark.parametrize("path", PATHS)
async def test_a_value_that_a_check_rejects_is_a_422(path: str, database_url: str) -> None:
    async with client_of(app_that_runs(database_url, SET_NAME)) as client:
        await create(client)
        problem_of(await client.get(path), 422)


@pytest.mark.parametrize("value", [2**31, 2**63, 2**200], ids=["32 bits", "64 bits", "more"])
async def test_a_number_out_of_range_is_a_422(database_url: str, value: int) -> None:
    statement = products.select().where(products.c.version == value)
    async with client_of(app_that_runs(database_url, statement)) as client:
        response = await client.get("/session")

    # SQLite's numbers have 64 bits, whatever the column's type.
    if response.status_code != 200 or not database_url.startswith("sqlite") or value >= 2**63:
        problem_of(response, 422)


@pytest.mark.parametrize("value", ["a\0b", "a\ud800b"], ids=["NUL", "half a character"])
async def test_a_text_that_cannot_be_stored_is_a_422(postgresql_url: str, value: str) -> None:
    statement = products.select().where(products.c.name == value)
    async with client_of(app_that_runs(postgresql_url, statement)) as client:
        problem_of(await client.get("/session"), 422)


async def test_a_right_that_is_missing_is_a_503(
    empty_postgresql_url: str, log_lines: list[Any]
) -> None:
    role = f"role_{make_url(empty_postgresql_url).database}"
    create_role = f"CREATE ROLE {role} LOGIN PASSWORD 'hunter2'"
    await asyncio.to_thread(run_statement, empty_postgresql_url, create_role)
    try:
        url = make_url(empty_postgresql_url).set(username=role, password="hunter2")
        app = app_that_runs(url.render_as_string(hide_password=False), "SELECT * FROM pg_authid")
        async with client_of(app) as client:
            problem_of(await client.get("/session"), 503)
    finally:
        await asyncio.to_thread(run_statement, empty_postgresql_url, f"DROP ROLE {role}")

    assert_one_line(log_lines, "lacks a right (SQLSTATE 42501)")


async def test_a_mistake_in_a_statement_is_a_500(database_url: str, log_lines: list[Any]) -> None:
    async with client_of(app_that_runs(database_url, "SELEKT")) as client:
        problem_of(await client.get("/session"), 500)

    assert [line for line in log_lines if line["event"] == "unhandled error"]


async def test_a_route_can_catch_what_sqlalchemy_documents(database_url: str) -> None:
    from sqlalchemy.exc import IntegrityError

    app = create_app(settings_for(database_url))

    @app.get("/caught")
    async def caught(session: Session) -> str:
        try:
            await session.execute(SET_NAME)
        except IntegrityError:
            await session.rollback()
            return "caught"
        return "nothing to catch"

    async with client_of(app) as client:
        await create(client)
        assert (await client.get("/caught")).json() == "caught"
