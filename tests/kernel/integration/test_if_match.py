"""Every method that changes an item honours If-Match (RFC 9110, section 13.1.1), in the weak form
of a tag too."""

from collections.abc import Mapping, Sequence
from typing import Any

import httpx
import pytest

from tests.kernel.integration.problem_document import problem_of
from tests.kernel.integration.service import PRODUCTS, UNKNOWN_ID, create, in_memory_only, stored

Headers = Mapping[str, str] | Sequence[tuple[str, str]] | Sequence[tuple[bytes, bytes]]

DONE = {"PUT": 200, "PATCH": 200, "DELETE": 204}


@pytest.fixture(params=list(DONE))
def method(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def item(client: httpx.AsyncClient) -> dict[str, Any]:
    """An item at version 2."""
    created = await create(client)
    response = await client.patch(f"{PRODUCTS}/{created['id']}", json={"name": "second"})
    changed: dict[str, Any] = response.json()
    return changed


async def change(
    client: httpx.AsyncClient, method: str, item_id: str, headers: Headers
) -> httpx.Response:
    body = None if method == "DELETE" else {"name": "changed"}
    return await client.request(
        method, f"{PRODUCTS}/{item_id}", json=body, headers=httpx.Headers(headers)
    )


async def was_changed(client: httpx.AsyncClient, item: dict[str, Any]) -> bool:
    response = await client.get(f"{PRODUCTS}/{item['id']}")
    return response.status_code == 404 or response.json() != item


@in_memory_only
@pytest.mark.parametrize(
    "condition",
    [
        '"2"',
        '"1", "2"',
        '"1","2","3"',
        'W/"1" , "2"',
        '"x,y", "2"',
        "*",
        " * ",
        '\t"2" ',
        'W/"2"',
        'W/"1", W/"2"',
    ],
)
async def test_a_change_meant_for_the_version_is_made(
    client: httpx.AsyncClient, method: str, item: dict[str, Any], condition: str
) -> None:
    response = await change(client, method, item["id"], {"If-Match": condition})

    assert response.status_code == DONE[method]
    assert await was_changed(client, item)


@in_memory_only
@pytest.mark.parametrize(
    "condition",
    [
        '"1"',
        '"3"',
        '"1", "3"',
        'W/"1"',
        'W/"3", W/"1"',
        "2",
        '"02"',
        '"2 "',
        '"-2"',
        '"2.0"',
        '"²"',
        '"' + "9" * 5_000 + '"',
        '"2',
        "'2'",
        "garbage",
        'garbage"2"',
        'w/"2"',
        "**",
        "",
        "é",
    ],
)
async def test_a_change_meant_for_another_version_is_rejected(
    client: httpx.AsyncClient, method: str, item: dict[str, Any], condition: str
) -> None:
    response = await change(
        client, method, item["id"], [(b"If-Match", condition.encode("latin-1"))]
    )

    problem_of(response, 412)
    assert not await was_changed(client, item)


@pytest.mark.parametrize("condition", ['"2"', '"1", "2"', "*"])
async def test_every_storage_makes_a_change_meant_for_the_version(
    client: httpx.AsyncClient, method: str, item: dict[str, Any], condition: str
) -> None:
    response = await change(client, method, item["id"], {"If-Match": condition})

    assert response.status_code == DONE[method]
    assert await was_changed(client, item)


async def test_every_storage_rejects_a_change_meant_for_another_version(
    client: httpx.AsyncClient, method: str, item: dict[str, Any]
) -> None:
    for condition in ('"1"', '"1", "3"', 'W/"1"', "2", "garbage", ""):
        problem_of(await change(client, method, item["id"], {"If-Match": condition}), 412)

    assert not await was_changed(client, item)


async def test_several_fields_are_one_list(
    client: httpx.AsyncClient, method: str, item: dict[str, Any]
) -> None:
    response = await change(client, method, item["id"], [("If-Match", '"1"'), ("If-Match", '"2"')])

    assert response.status_code == DONE[method]


@pytest.mark.parametrize("condition", ["*", '"1"', "garbage"])
async def test_an_item_that_does_not_exist_is_not_found(
    client: httpx.AsyncClient, method: str, condition: str
) -> None:
    problem_of(await change(client, method, UNKNOWN_ID, {"If-Match": condition}), 404)


async def test_a_chain_of_changes_follows_the_tags(client: httpx.AsyncClient) -> None:
    item_id = (await create(client))["id"]
    tag = '"1"'
    for version in (2, 3, 4):
        response = await change(client, "PUT", item_id, {"If-Match": tag})
        assert response.status_code == 200
        tag = response.headers["ETag"]
        assert tag == f'"{version}"'

    problem_of(await change(client, "DELETE", item_id, {"If-Match": '"1"'}), 412)
    assert (await stored(client, item_id))["version"] == 4
    assert (await change(client, "DELETE", item_id, {"If-Match": tag})).status_code == 204


async def test_if_none_match_on_a_change_is_ignored(
    client: httpx.AsyncClient, method: str, item: dict[str, Any]
) -> None:
    response = await change(client, method, item["id"], {"If-None-Match": '"7"'})

    assert response.status_code == DONE[method]
