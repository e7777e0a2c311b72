"""The OpenAPI document describes exactly what is sent."""

import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx
import jsonschema_rs
import pytest

from application.kernel.errors import (
    KeyInProgress,
    KeyReused,
    StaleVersion,
    StorageFull,
    StorageUnavailable,
)
from tests.kernel.integration.failing_units_of_work import FailingUnitsOfWork
from tests.kernel.integration.service import (
    JSON,
    PRODUCTS,
    UNKNOWN_ID,
    bare_client_of,
    create,
    in_memory_only,
    settings_for,
)
from tests.kernel.warehouse.app import create_app

pytestmark = in_memory_only
COLLECTION, ITEM = f"{PRODUCTS}/", f"{PRODUCTS}/{{product_id}}"
Document = dict[str, Any]
# They belong to the message and not to the operation.
KEY, NO_KEY = {"Idempotency-Key": "k"}, {"Idempotency-Key": "two keys"}
NO_JSON = {"Accept": "text/html"}
FRAMING = {"content-length", "content-type"}


@dataclass(frozen=True)
class Case:
    """A request, and the status that its response must have."""

    operation: tuple[str, str]
    status: int
    content: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    query: dict[str, str] = field(default_factory=dict)
    item_id: str | None = None
    on_commit: Exception | None = None
    on_reading: Exception | None = None

    def __str__(self) -> str:
        return f"{self.operation[0]} {self.operation[1]} {self.status}"


def cases() -> Iterator[Case]:
    gone = StorageUnavailable("gone")
    right, wrong = b'{"name": "desk"}', b'{"name": 1}'
    yield Case(("get", COLLECTION), 200)
    yield Case(("get", COLLECTION), 200, query={"limit": "1"})
    yield Case(("get", COLLECTION), 422, query={"limit": "0"})
    yield Case(("get", COLLECTION), 422, query={"cursor": "x"})
    yield Case(("get", COLLECTION), 406, headers=NO_JSON)
    yield Case(("get", COLLECTION), 503, on_reading=gone)
    yield Case(("post", COLLECTION), 201, right, JSON)
    yield Case(("post", COLLECTION), 201, right, {**JSON, **KEY})
    yield Case(("post", COLLECTION), 400, right, {**JSON, **NO_KEY})
    yield Case(("post", COLLECTION), 409, right, {**JSON, **KEY}, on_commit=KeyInProgress("k"))
    yield Case(("post", COLLECTION), 406, right, {**JSON, **NO_JSON})
    yield Case(("post", COLLECTION), 415, right)
    yield Case(("post", COLLECTION), 422, wrong, JSON)
    yield Case(("post", COLLECTION), 503, right, JSON, on_commit=gone)
    yield Case(("post", COLLECTION), 507, right, JSON, on_commit=StorageFull("full"))
    yield Case(("get", ITEM), 200)
    yield Case(("get", ITEM), 304, headers={"If-None-Match": "*"})
    yield Case(("get", ITEM), 404, item_id=UNKNOWN_ID)
    yield Case(("get", ITEM), 404, item_id="no-uuid")
    yield Case(("get", ITEM), 406, headers=NO_JSON)
    yield Case(("get", ITEM), 503, on_reading=gone)
    for method, status, content in (
        ("put", 200, right),
        ("patch", 200, right),
        ("delete", 204, None),
    ):
        headers = JSON if content else {}
        stale = StaleVersion("book", UUID(int=1))
        yield Case((method, ITEM), status, content, headers)
        yield Case((method, ITEM), status, content, {**headers, **KEY})
        yield Case((method, ITEM), 400, content, {**headers, **NO_KEY})
        yield Case((method, ITEM), 404, content, headers, item_id=UNKNOWN_ID)
        yield Case((method, ITEM), 409, content, headers, on_commit=stale)
        yield Case((method, ITEM), 422, content, {**headers, **KEY}, on_commit=KeyReused("k"))
        yield Case((method, ITEM), 412, content, {**headers, "If-Match": '"7"'})
        yield Case((method, ITEM), 503, content, headers, on_commit=gone)
        yield Case((method, ITEM), 507, content, headers, on_commit=StorageFull("full"))
        if content:
            yield Case((method, ITEM), 406, content, {**headers, **NO_JSON})
            yield Case((method, ITEM), 415, content)
            yield Case((method, ITEM), 422, wrong, JSON)
    yield Case(("get", "/health/live"), 200)
    yield Case(("get", "/health/ready"), 200)


CASES = list(cases())
CHANGING_WITH_A_BODY = [("post", COLLECTION), ("put", ITEM), ("patch", ITEM)]


@dataclass
class Tried:
    client: httpx.AsyncClient
    units: FailingUnitsOfWork
    document: Document

    async def send(self, case: Case) -> httpx.Response:
        items = [await create(self.client, name) for name in ("lamp", "chair")]
        method, path = case.operation
        self.units.on_commit, self.units.on_reading = case.on_commit, case.on_reading
        return await self.client.request(
            method,
            path.format(product_id=case.item_id or items[0]["id"]),
            content=case.content,
            headers=case.headers,
            params=case.query,
        )


@pytest.fixture
async def tried(storage_url: str) -> AsyncIterator[Tried]:
    units = FailingUnitsOfWork()
    app = create_app(settings_for(storage_url), units_of_work=units)
    async with app.router.lifespan_context(app), bare_client_of(app) as client:
        yield Tried(client, units, (await client.get("/openapi.json")).json())


@pytest.mark.parametrize("case", CASES, ids=str)
async def test_a_response_is_as_the_document_says(tried: Tried, case: Case) -> None:
    response = await tried.send(case)

    assert response.status_code == case.status, response.text
    method, path = case.operation
    described = tried.document["paths"][path][method]["responses"][str(case.status)]
    assert_content(response, described.get("content", {}), tried.document)
    assert_headers(response, described.get("headers", {}), tried.document)


def assert_content(response: httpx.Response, described: Document, document: Document) -> None:
    if not described:
        assert response.content == b""
        assert "Content-Type" not in response.headers
        return
    assert list(described) == [response.headers["Content-Type"]]
    schema = described[response.headers["Content-Type"]]["schema"]
    assert schema
    validator_of(schema, document).validate(response.json())


def assert_headers(response: httpx.Response, described: Document, document: Document) -> None:
    names = {name.lower() for name in described}
    assert set(response.headers) - FRAMING <= names
    for name, header in described.items():
        if name in response.headers:
            validator_of(header["schema"], document).validate(response.headers[name])
        else:
            assert not header["required"], name


async def test_every_status_that_is_described_is_sent(tried: Tried) -> None:
    described = {
        (method, path, status)
        for path, operations in tried.document["paths"].items()
        for method, operation in operations.items()
        for status in operation["responses"]
    }

    sent = {(*case.operation, str(case.status)) for case in CASES}
    # tests/kernel/integration/test_health.py sends this one.
    sent.add(("get", "/health/ready", "503"))
    # tests/kernel/faults/test_malformed_requests.py sends this one, to the server and not the app.
    sent |= {(method, path, "413") for method, path in CHANGING_WITH_A_BODY}
    assert {each for each in described if each[2] != "default"} == sent


async def test_every_operation_describes_its_other_errors(tried: Tried) -> None:
    tried.units.on_reading = RuntimeError("broken")
    response = await tried.client.get(PRODUCTS)

    assert response.status_code == 500
    for operations in tried.document["paths"].values():
        for operation in operations.values():
            described = operation["responses"]["default"]
            assert_content(response, described["content"], tried.document)
            assert_headers(response, described.get("headers", {}), tried.document)


async def test_every_reference_leads_somewhere(tried: Tried) -> None:
    def references(node: object) -> Iterator[str]:
        if isinstance(node, dict):
            if isinstance(node.get("$ref"), str):
                yield node["$ref"]
            for each in node.values():
                yield from references(each)
        elif isinstance(node, list):
            for each in node:
                yield from references(each)

    found = set(references(tried.document))

    schemas = tried.document["components"]["schemas"]
    assert found == {f"#/components/schemas/{name}" for name in schemas}


async def test_every_value_that_is_shown_is_valid(tried: Tried) -> None:
    def shown(node: object) -> Iterator[tuple[Document, object]]:
        if isinstance(node, dict):
            # A property may have this name, too.
            if isinstance(node.get("examples"), list):
                yield from ((node, value) for value in node["examples"])
            for each in node.values():
                yield from shown(each)
        elif isinstance(node, list):
            for each in node:
                yield from shown(each)

    found = list(shown(tried.document))

    assert len(found) >= 10
    for schema, value in found:
        validator_of(schema, tried.document).validate(value)


async def test_an_item_made_of_what_is_shown_is_taken_and_valid(tried: Tried) -> None:
    schemas = tried.document["components"]["schemas"]
    body = {
        name: each["examples"][0] for name, each in schemas["ProductCreate"]["properties"].items()
    }

    created = await tried.client.post(PRODUCTS, json=body)

    assert created.status_code == 201
    assert body.items() <= created.json().items()
    read = schemas["ProductRead"]["properties"]
    shown = {name: each["examples"][0] for name, each in read.items()}
    validator_of(schemas["ProductRead"], tried.document).validate(shown)
    assert shown.keys() == created.json().keys()


@pytest.mark.parametrize(
    ("schema", "content", "taken"),
    [
        ("ProductCreate", {"name": "x"}, True),
        ("ProductCreate", {"name": "x", "description": None}, True),
        ("ProductCreate", {}, False),
        ("ProductCreate", {"name": None}, False),
        ("ProductCreate", {"name": "x", "colour": "red"}, False),
        ("ProductPatch", {}, True),
        ("ProductPatch", {"description": None}, True),
        ("ProductPatch", {"name": None}, False),
        ("ProductPatch", {"id": UNKNOWN_ID}, False),
    ],
)
async def test_a_body_is_taken_if_the_document_allows_it(
    tried: Tried, schema: str, content: Document, taken: bool
) -> None:
    item = await create(tried.client)
    method, path = (
        ("POST", PRODUCTS) if "Create" in schema else ("PATCH", f"{PRODUCTS}/{item['id']}")
    )

    response = await tried.client.request(method, path, json=content)

    allowed = validator_of(
        tried.document["components"]["schemas"][schema], tried.document
    ).is_valid(content)
    assert allowed is taken
    assert (response.status_code < 300) is taken


async def test_nothing_left_out_of_a_patch_is_said_to_have_a_value(tried: Tried) -> None:
    properties = tried.document["components"]["schemas"]["ProductPatch"]["properties"]

    assert not [name for name, each in properties.items() if "default" in each]


async def test_every_operation_has_a_summary_and_a_name_of_its_own(tried: Tried) -> None:
    operations = [
        operation for path in tried.document["paths"].values() for operation in path.values()
    ]

    assert all(re.search(r"\w", operation["summary"]) for operation in operations)
    names = [operation["operationId"] for operation in operations]
    assert len(set(names)) == len(names) == 8


def validator_of(schema: Document, document: Document) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(
        {**schema, "components": document["components"]}, validate_formats=True
    )
