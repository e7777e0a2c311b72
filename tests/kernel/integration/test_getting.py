"""GET on one item, and the 304 for a client that has it already."""

import time

import httpx
import pytest

from tests.kernel.integration.problem_document import problem_of
from tests.kernel.integration.service import PRODUCTS, UNKNOWN_ID, create, in_memory_only


async def test_an_item_has_an_etag(client: httpx.AsyncClient) -> None:
    item = await create(client)

    response = await client.get(f"{PRODUCTS}/{item['id']}")

    assert (response.status_code, response.json()) == (200, item)
    assert response.headers["ETag"] == '"1"'


@pytest.mark.parametrize("spelling", [str.upper, lambda item_id: item_id.replace("-", "")])
async def test_an_id_has_other_spellings(client: httpx.AsyncClient, spelling: type[str]) -> None:
    item = await create(client)

    response = await client.get(f"{PRODUCTS}/{spelling(item['id'])}")

    assert response.json() == item


@pytest.mark.parametrize("item_id", [UNKNOWN_ID, "no-uuid"])
async def test_a_missing_item_is_not_found(client: httpx.AsyncClient, item_id: str) -> None:
    problem_of(await client.get(f"{PRODUCTS}/{item_id}"), 404)
    problem_of(await client.put(f"{PRODUCTS}/{item_id}", json={"name": "x"}), 404)
    problem_of(await client.patch(f"{PRODUCTS}/{item_id}", json={"name": "x"}), 404)
    problem_of(await client.delete(f"{PRODUCTS}/{item_id}"), 404)


@in_memory_only
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize(
    "item_id",
    [
        UNKNOWN_ID,
        "00000000-0000-0000-0000-000000000000",
        "no-uuid",
        "1",
        "null",
        UNKNOWN_ID[:-1],
        UNKNOWN_ID + "0",
        UNKNOWN_ID + "%0A",
        "%20",
        "%00",
        "%FF",
        "%F0%9F%98%80",
        "x" * 5_000,
    ],
)
async def test_what_does_not_exist_is_not_found(
    client: httpx.AsyncClient, method: str, item_id: str
) -> None:
    body = {"name": "x"} if method in {"PUT", "PATCH"} else None
    response = await client.request(method, f"{PRODUCTS}/{item_id}", json=body)

    if method == "HEAD":
        assert (response.status_code, response.content) == (404, b"")
    else:
        problem_of(response, 404)


@in_memory_only
@pytest.mark.parametrize(
    "known",
    ['"1"', 'W/"1"', '"7", "1"', '"7","1"', '"7" , W/"1"', "*", " * ", '"a,b", "1"', '"", "1"'],
)
async def test_a_client_that_has_the_version_is_not_sent_it_again(
    client: httpx.AsyncClient, known: str
) -> None:
    item = await create(client)

    response = await client.get(f"{PRODUCTS}/{item['id']}", headers={"If-None-Match": known})

    assert (response.status_code, response.content) == (304, b"")
    assert response.headers["ETag"] == '"1"'


async def test_several_fields_are_one_list(client: httpx.AsyncClient) -> None:
    item = await create(client)

    response = await client.get(
        f"{PRODUCTS}/{item['id']}", headers=[("If-None-Match", '"7"'), ("If-None-Match", '"1"')]
    )

    assert response.status_code == 304


@in_memory_only
@pytest.mark.parametrize(
    "known", ['"2"', 'W/"2"', '"7", "8"', '"01"', '"1 "', '"11"', "1", "x", "", "**", '"1', "\xff"]
)
async def test_a_client_that_has_another_version_is_sent_the_item(
    client: httpx.AsyncClient, known: str
) -> None:
    item = await create(client)

    response = await client.get(
        f"{PRODUCTS}/{item['id']}", headers=[(b"If-None-Match", known.encode("latin-1"))]
    )

    assert (response.status_code, response.json()) == (200, item)


async def test_a_changed_item_is_sent_again(client: httpx.AsyncClient) -> None:
    path = f"{PRODUCTS}/{(await create(client))['id']}"
    known = {"If-None-Match": (await client.get(path)).headers["ETag"]}
    assert (await client.get(path, headers=known)).status_code == 304

    await client.patch(path, json={"name": "desk"})

    response = await client.get(path, headers=known)
    assert (response.status_code, response.headers["ETag"]) == (200, '"2"')


@pytest.mark.parametrize("known", ["*", '"1"'])
async def test_having_an_item_that_does_not_exist_is_not_found(
    client: httpx.AsyncClient, known: str
) -> None:
    response = await client.get(f"{PRODUCTS}/{UNKNOWN_ID}", headers={"If-None-Match": known})

    problem_of(response, 404)


@in_memory_only
@pytest.mark.parametrize("filler", [" ", ",", '"', '"", ', 'W/"x"'])
async def test_a_long_condition_is_read_in_no_time(client: httpx.AsyncClient, filler: str) -> None:
    path = f"{PRODUCTS}/{(await create(client))['id']}"
    known = "x" + filler * (60_000 // len(filler)) + "x"

    started = time.perf_counter()
    await client.get(path, headers={"If-None-Match": known})

    assert time.perf_counter() - started < 1
