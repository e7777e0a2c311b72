"""Each type of problem is sent for what docs/problems.md says, and no response has another one."""

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from pathlib import Path
from uuid import UUID

import httpx
import pytest

from application.kernel.errors import (
    AlreadyExists,
    DataConflict,
    InvalidValue,
    KeyInProgress,
    KeyReused,
    OutcomeUnknown,
    StaleVersion,
    StorageFull,
    StorageUnavailable,
    TransactionConflict,
)
from entrypoints.http.kernel.problems import problem_types
from entrypoints.http.kernel.problems.problem import Problem
from entrypoints.http.kernel.problems.problem_types import PROBLEM_TYPES, ProblemType, phrase, plain
from entrypoints.kernel.api_keys import new_key
from tests.kernel.integration.failing_units_of_work import FailingUnitsOfWork
from tests.kernel.integration.problem_document import problem_of
from tests.kernel.integration.service import (
    JSON,
    PRODUCTS,
    UNKNOWN_ID,
    client_of,
    create,
    settings_for,
)
from tests.kernel.warehouse.app import create_app

Send = Callable[[httpx.AsyncClient], Awaitable[httpx.Response]]
BODY = {"name": "lamp"}
READER, LINE = new_key("reader", "read")
# The server sends these, not the app: tests/kernel/faults/test_malformed_requests.py.
OF_THE_SERVER = {"malformed-request", "request-too-slow", "url-too-long", "header-too-large"}


def get(path: str, **headers: str) -> Send:
    return lambda client: client.get(path, headers=headers)


def post(content: bytes, headers: dict[str, str]) -> Send:
    return lambda client: client.post(PRODUCTS, content=content, headers=headers)


async def put_a_stale_version(client: httpx.AsyncClient) -> httpx.Response:
    item = await create(client)
    return await client.put(f"{PRODUCTS}/{item['id']}", json=BODY, headers={"If-Match": '"7"'})


BY_REQUEST: dict[str, Send] = {
    "malformed-idempotency-key": post(b'{"name": "lamp"}', {**JSON, "Idempotency-Key": "two keys"}),
    "no-such-path": get("/nowhere"),
    "not-found": get(f"{PRODUCTS}/{UNKNOWN_ID}"),
    "method-not-allowed": lambda client: client.put(PRODUCTS),
    "not-acceptable": get(PRODUCTS, Accept="text/html"),
    "stale-version": put_a_stale_version,
    "body-too-large": post(b"x" * 70_000, JSON),
    "unsupported-media-type": post(b"name=x", {}),
    "unknown-host": get(PRODUCTS, Host="evil.test"),
    "invalid-request": get(f"{PRODUCTS}?limit=0"),
}
BY_COMMIT: dict[str, Exception] = {
    "already-exists": AlreadyExists("book", UUID(int=1)),
    "concurrent-change": StaleVersion("book", UUID(int=1)),
    "conflict": DataConflict("a row refers to it"),
    "idempotency-key-in-progress": KeyInProgress("k"),
    "idempotency-key-reused": KeyReused("k"),
    "invalid-value": InvalidValue("too large"),
    "internal-error": RuntimeError("broken"),
    "database-unavailable": StorageUnavailable("gone"),
    "transaction-conflict": TransactionConflict("gave way"),
    "outcome-unknown": OutcomeUnknown("lost"),
    "database-full": StorageFull("full"),
}
BY_DEPLOYMENT = {
    "key-missing",
    "key-unknown",
    "key-reads-only",
    "keys-not-configured",
    "deadline-exceeded",
    "shutting-down",
    "not-ready",
}


BY_SEVERAL_COMMITS = {"failed-after-commit"}  # sent in test_outcomes.py


def test_no_type_is_left_out_of_these_tests() -> None:
    sent = {*BY_REQUEST, *BY_COMMIT, *BY_SEVERAL_COMMITS, *BY_DEPLOYMENT, *OF_THE_SERVER}

    assert sent == set(PROBLEM_TYPES)


@pytest.mark.parametrize("name", BY_REQUEST)
async def test_a_request_that_cannot_be_met(name: str) -> None:
    app = create_app(settings_for("memory://", allowed_hosts="test"))
    async with client_of(app) as client:
        problem_of(await BY_REQUEST[name](client), PROBLEM_TYPES[name])


@pytest.mark.parametrize("name", BY_COMMIT)
async def test_a_change_that_fails(name: str) -> None:
    units = FailingUnitsOfWork()
    units.on_commit = BY_COMMIT[name]
    async with client_of(create_app(settings_for("memory://"), units_of_work=units)) as client:
        response = await client.post(PRODUCTS, json=BODY)

    problem_of(response, PROBLEM_TYPES[name])


async def test_keys(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.write_text(LINE)
    bearing = {"Authorization": f"Bearer {READER}"}
    async with client_of(create_app(settings_for("memory://", api_keys=keys))) as client:
        problem_of(await client.get(PRODUCTS), problem_types.KEY_MISSING)
        unknown = await client.get(PRODUCTS, headers={"Authorization": "Bearer x"})
        problem_of(unknown, problem_types.KEY_UNKNOWN)
        reads_only = await client.post(PRODUCTS, json=BODY, headers=bearing)
        problem_of(reads_only, problem_types.KEY_READS_ONLY)


async def test_no_keys_on_an_address_that_others_can_reach() -> None:
    app = create_app(settings_for("memory://"))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://192.0.2.7") as client:
        problem_of(await client.get(PRODUCTS), problem_types.KEYS_NOT_CONFIGURED)


async def test_a_deadline() -> None:
    app = create_app(settings_for("memory://", request_deadline_seconds=0.1))

    @app.get("/slow")
    async def slow() -> None:
        await asyncio.Event().wait()

    async with client_of(app) as client:
        problem_of(await client.get("/slow"), problem_types.DEADLINE_EXCEEDED)


async def test_the_end_of_the_service() -> None:
    app = create_app(settings_for("memory://"))
    entered = asyncio.Event()

    @app.get("/slow")
    async def slow() -> None:
        entered.set()
        await asyncio.Event().wait()

    async with client_of(app) as client:
        request = asyncio.create_task(client.get("/slow"))
        await entered.wait()
        request.cancel()
        problem_of(await request, problem_types.SHUTTING_DOWN)


async def test_readiness() -> None:
    class NeverReady:
        async def is_ready(self) -> bool:
            return False

        async def keep_checking(self) -> None:
            await asyncio.Event().wait()

    app = create_app(settings_for("memory://"), readiness=NeverReady())
    async with client_of(app) as client:
        problem_of(await client.get("/health/ready"), problem_types.NOT_READY)


def test_a_plain_status_is_named_as_rfc_9110_names_it_whatever_python_says() -> None:
    # Python's own names for these changed in 3.13.
    names = {413: "Content Too Large", 414: "URI Too Long", 422: "Unprocessable Content"}

    for status, name in names.items():
        assert plain(status) == ProblemType("", status, name)
    assert plain(416).title == "Range Not Satisfiable"
    assert phrase(418) == HTTPStatus(418).phrase


def test_the_document_shows_each_type_that_a_status_can_have() -> None:
    document = create_app(settings_for("memory://")).openapi()
    responses = document["paths"][f"{PRODUCTS}/"]["post"]["responses"]
    for status in (400, 409, 503):
        shown = responses[str(status)]["content"]["application/problem+json"]["examples"]
        expected = {name: each for name, each in PROBLEM_TYPES.items() if each.status == status}
        assert shown.keys() == expected.keys()
        for name, each in shown.items():
            value = each["value"]
            assert (value["type"], value["title"]) == (expected[name].uri, expected[name].title)
            Problem.model_validate(value)
