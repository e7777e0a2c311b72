"""A change that could not be committed is never reported as successful: the app is driven by
hand, and every message that it sends is looked at."""

import asyncio
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from uuid import UUID

import pytest
from fastapi import FastAPI
from starlette.types import Message, Scope

from application.kernel.errors import (
    AlreadyExists,
    OutcomeUnknown,
    StaleVersion,
    StorageFull,
    StorageUnavailable,
    TransactionConflict,
)
from tests.kernel.database_settings import engine_for
from tests.kernel.integration.failing_units_of_work import FailingUnitsOfWork
from tests.kernel.integration.service import (
    PRODUCTS,
    UNKNOWN_ID,
    bare_client_of,
    client_of,
    create,
    settings_for,
)
from tests.kernel.postgresql_databases import run_statement
from tests.kernel.warehouse.app import create_app
from tests.kernel.warehouse.storages import migrate_and_create_tables

SECRET = "hunter2"
ERRORS = [
    (StorageUnavailable(SECRET), 503),
    (TransactionConflict(SECRET), 503),
    (OutcomeUnknown(SECRET), 503),
    (StorageFull(SECRET), 507),
    (StaleVersion("product", UUID(UNKNOWN_ID)), 409),
    (AlreadyExists("product", UUID(UNKNOWN_ID)), 409),
    (RuntimeError(SECRET), 500),
    (ConnectionResetError(SECRET), 500),
    (TimeoutError(SECRET), 500),
]
DEFERRED_REFUSAL = """
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'hunter2' USING ERRCODE = '40001'; END $$;
    CREATE CONSTRAINT TRIGGER refuse AFTER INSERT OR UPDATE OR DELETE ON products
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse()
"""


async def messages_of(app: FastAPI, method: str, path: str) -> list[Message]:
    """Send a request and return all that the app responds, in turn."""
    scope: Scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [(b"host", b"test"), (b"content-type", b"application/json")],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }
    received = iter([{"type": "http.request", "body": b'{"name": "changed"}'}])
    sent: list[Message] = []

    async def receive() -> Message:
        return next(received, {"type": "http.disconnect"})

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return sent


def assert_only_a_problem(messages: list[Message], status: int) -> None:
    start, *bodies = messages
    assert start["type"] == "http.response.start"
    assert start["status"] == status
    assert (b"content-type", b"application/problem+json") in start["headers"]
    assert not {name for name, _ in start["headers"]} & {b"etag", b"location"}
    assert {body["type"] for body in bodies} == {"http.response.body"}
    content = b"".join(body.get("body", b"") for body in bodies)
    assert json.loads(content)["status"] == status
    assert SECRET not in str(messages)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize(("error", "status"), ERRORS, ids=lambda value: type(value).__name__)
async def test_no_byte_of_a_success_is_sent(method: str, error: Exception, status: int) -> None:
    units = FailingUnitsOfWork()
    app = create_app(settings_for("memory://"), units_of_work=units)
    async with client_of(app) as client:
        item = await create(client)
        units.on_commit = error

        path = PRODUCTS if method == "POST" else f"{PRODUCTS}/{item['id']}"
        messages = await messages_of(app, method, path)

        assert_only_a_problem(messages, status)
        assert (await client.get(PRODUCTS)).json() == [item]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_a_commit_that_postgresql_rejects_is_no_success(
    empty_postgresql_url: str, method: str
) -> None:
    await _migrate(empty_postgresql_url)
    app = create_app(settings_for(empty_postgresql_url))
    async with client_of(app) as client:
        item = await create(client)
        await asyncio.to_thread(run_statement, empty_postgresql_url, DEFERRED_REFUSAL)

        path = PRODUCTS if method == "POST" else f"{PRODUCTS}/{item['id']}"
        messages = await messages_of(app, method, path)

        assert_only_a_problem(messages, 503)
        assert (await client.get(PRODUCTS)).json() == [item]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_a_change_that_a_locked_sqlite_file_rejects_is_no_success(
    tmp_path: Path, sqlite_file_url: str, method: str
) -> None:
    app = create_app(settings_for(sqlite_file_url, request_deadline_seconds=2))
    async with client_of(app) as client:
        item = await create(client)
        with closing(sqlite3.connect(tmp_path / "test.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")

            path = PRODUCTS if method == "POST" else f"{PRODUCTS}/{item['id']}"
            messages = await messages_of(app, method, path)

        assert_only_a_problem(messages, 503)
        # A deadline that comes first leaves the outcome open, and the response says so.
        is_unknown = "outcome-unknown" in str(messages)
        assert is_unknown or (await client.get(PRODUCTS)).json() == [item]


async def test_the_service_works_after_a_failed_commit() -> None:
    units = FailingUnitsOfWork()
    app = create_app(settings_for("memory://"), units_of_work=units)
    async with app.router.lifespan_context(app):
        units.on_commit = StorageUnavailable("gone")
        assert_only_a_problem(await messages_of(app, "POST", PRODUCTS), 503)

        units.on_commit = None
        await create(bare_client_of(app))


async def _migrate(url: str) -> None:
    engine = engine_for(url)
    await migrate_and_create_tables(engine)
    await engine.dispose()
