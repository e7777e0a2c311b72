"""Every method with a body rejects a wrong one, and says what is wrong and where."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest

from tests.kernel.integration.problem_document import errors_of, problem_of
from tests.kernel.integration.service import JSON, PRODUCTS, create, in_memory_only

WRONG = [
    (b"", "#", "missing"),
    (b"{", "#", "json_invalid"),
    (b"{'name': 'x'}", "#", "json_invalid"),
    (b'{"name": "x"} trailing', "#", "json_invalid"),
    (b"[" * 60_000, "#", "json_invalid"),
    (b'{"name": ' + b"[" * 30_000 + b"]" * 30_000 + b"}", "#", "json_invalid"),
    (b'{"a":' * 12_000, "#", "json_invalid"),
    (b'{"name": "\xff"}', "#", "json_invalid"),
    (b'{"name": "\\ud800"}', "#/name", "not_storable"),
    (b'{"name": "\\ud800\\ud800"}', "#/name", "not_storable"),
    (b'{"name": "x", "\\udfff": 1}', "#", "string_unicode"),
    (b"null", "#", "model_type"),
    (b"[]", "#", "model_type"),
    (b'"name"', "#", "model_type"),
    (b"NaN", "#", "model_type"),
    (b"1e400", "#", "model_type"),
    (b'{"name": NaN}', "#/name", "string_type"),
    (b'{"name": 1e400}', "#/name", "string_type"),
    (b'{"name": -Infinity}', "#/name", "string_type"),
    (b'{"name": 1}', "#/name", "string_type"),
    (b'{"name": true}', "#/name", "string_type"),
    (b'{"name": ["x"]}', "#/name", "string_type"),
    (b'{"name": null}', "#/name", "string_type"),
    (b'{"name": "x", "description": 1}', "#/description", "string_type"),
    (b'{"name": "x", "description": {}}', "#/description", "string_type"),
    (b'{"name": ""}', "#/name", "required"),
    (b'{"name": " \\t\\n\\u00a0"}', "#/name", "required"),
    (b'{"name": "' + b"n" * 201 + b'"}', "#/name", "too_long"),
    (b'{"name": "a\\u0000b"}', "#/name", "not_storable"),
    (b'{"name": "x", "description": "\\u0000"}', "#/description", "not_storable"),
    (b'{"name": "x", "description": "' + b"d" * 2_001 + b'"}', "#/description", "too_long"),
    (b'{"name": "x", "colour": "red"}', "#/colour", "extra_forbidden"),
    (b'{"name": "x", "id": "1"}', "#/id", "extra_forbidden"),
    (b'{"name": "x", "version": 9}', "#/version", "extra_forbidden"),
    (b'{"name": "x", "Name": "y"}', "#/Name", "extra_forbidden"),
    (b'{"name": "x", "a/b~c \\u00e9": 1}', "#/a~1b~0c%20%C3%A9", "extra_forbidden"),
    (b'{"name": "x", "": 1}', "#/", "extra_forbidden"),
]


@dataclass(frozen=True)
class Target:
    """Where a body is sent, and an item that it must not alter."""

    client: httpx.AsyncClient
    method: str
    path: str
    item_id: str

    async def send(self, content: bytes, headers: dict[str, str] = JSON) -> httpx.Response:
        return await self.client.request(self.method, self.path, content=content, headers=headers)


@pytest.fixture(params=["POST", "PUT", "PATCH"])
async def target(request: pytest.FixtureRequest, client: httpx.AsyncClient) -> Target:
    item_id = (await create(client))["id"]
    path = PRODUCTS if request.param == "POST" else f"{PRODUCTS}/{item_id}"
    return Target(client, request.param, path, item_id)


@pytest.fixture(autouse=True)
async def _nothing_is_altered(target: Target) -> AsyncIterator[None]:
    before = (await target.client.get(PRODUCTS)).json()
    yield
    assert (await target.client.get(PRODUCTS)).json() == before


@in_memory_only
@pytest.mark.parametrize(
    ("content", "pointer", "error"),
    WRONG,
    ids=lambda value: ascii(value[:40]) if isinstance(value, bytes) else None,
)
async def test_a_wrong_body_is_rejected(
    target: Target, content: bytes, pointer: str, error: str
) -> None:
    response = await target.send(content)

    assert errors_of(response) == [("body", pointer, error)]


async def test_no_storage_is_altered_by_any_wrong_body(target: Target) -> None:
    for content, pointer, error in WRONG:
        assert errors_of(await target.send(content)) == [("body", pointer, error)]


@in_memory_only
async def test_what_was_sent_is_not_repeated(target: Target) -> None:
    response = await target.send(b'{"name": 12345678, "description": ["hunter2"]}')

    assert response.status_code == 422
    assert "12345678" not in response.text
    assert "hunter2" not in response.text


@in_memory_only
async def test_all_wrong_fields_are_named_at_once(target: Target) -> None:
    response = await target.send(b'{"name": 1, "description": 2, "colour": 3}')

    assert errors_of(response) == [
        ("body", "#/name", "string_type"),
        ("body", "#/description", "string_type"),
        ("body", "#/colour", "extra_forbidden"),
    ]


@in_memory_only
@pytest.mark.parametrize("target", ["POST", "PUT"], indirect=True)
async def test_a_missing_name_is_named(target: Target) -> None:
    response = await target.send(b'{"description": "It shines."}')

    assert errors_of(response) == [("body", "#/name", "missing")]


@in_memory_only
@pytest.mark.parametrize(
    "media_type",
    [
        None,
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/xml",
        "application/jsonp",
        "text/json+json",
        "application/octet-stream; type=application/json",
    ],
)
async def test_a_body_that_is_not_said_to_be_json_is_rejected(
    target: Target, media_type: str | None
) -> None:
    headers = {} if media_type is None else {"Content-Type": media_type}

    problem_of(await target.send(b'{"name": "x"}', headers), 415)


@in_memory_only
async def test_a_missing_body_is_reported_as_missing(target: Target) -> None:
    response = await target.client.request(target.method, target.path)

    assert errors_of(response) == [("body", "#", "missing")]


@in_memory_only
async def test_many_errors_make_no_large_response(target: Target) -> None:
    names = [f"field{n}" for n in range(4_000)]
    content = json.dumps({"name": "x", **dict.fromkeys(names, 1)}).encode()

    response = await target.send(content)

    assert errors_of(response) == [("body", f"#/{name}", "extra_forbidden") for name in names[:20]]
    assert "the first 20 of 4000 errors" in response.json()["detail"]
    assert len(response.content) < 4_000


@in_memory_only
async def test_a_long_name_is_not_repeated(target: Target) -> None:
    content = json.dumps({"name": "x", "ü" * 10_000: 1}).encode()

    response = await target.send(content)

    assert errors_of(response) == [("body", "#", "extra_forbidden")]


@in_memory_only
@pytest.mark.parametrize(
    "media_type",
    [
        "application/json",
        "APPLICATION/JSON",
        "application/json; charset=utf-8",
        "application/json;charset=utf-8",
        "application/merge-patch+json",
    ],
)
async def test_json_under_any_of_its_names_is_read(target: Target, media_type: str) -> None:
    response = await target.send(b'{"name": 1}', {"Content-Type": media_type})

    assert errors_of(response) == [("body", "#/name", "string_type")]
