"""GET on the collection: pages in creation order."""

import string

import httpx
import pytest

from tests.kernel.integration.problem_document import errors_of
from tests.kernel.integration.service import PRODUCTS, create, in_memory_only

NEXT = "next"


async def create_all(client: httpx.AsyncClient, count: int) -> list[str]:
    return [(await create(client, f"item {n}"))["id"] for n in range(count)]


def next_page(response: httpx.Response) -> str | None:
    return response.links.get(NEXT, {}).get("url")


async def test_an_empty_collection_is_an_empty_array(client: httpx.AsyncClient) -> None:
    response = await client.get(PRODUCTS)

    assert (response.status_code, response.json()) == (200, [])
    assert response.headers["Content-Type"] == "application/json"
    assert "Link" not in response.headers


async def test_items_come_in_creation_order(client: httpx.AsyncClient) -> None:
    created = [await create(client, name) for name in ("c", "a", "b")]

    assert (await client.get(PRODUCTS)).json() == created


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8, 200])
async def test_walking_the_links_meets_every_item_once_and_in_order(
    client: httpx.AsyncClient, limit: int
) -> None:
    created = await create_all(client, 7)

    met = []
    page: str | None = f"{PRODUCTS}?limit={limit}"
    while page:
        response = await client.get(page)
        assert response.status_code == 200
        assert 1 <= len(response.json()) <= limit
        met += [item["id"] for item in response.json()]
        page = next_page(response)

    assert met == created


async def test_a_walk_goes_on_when_its_place_was_deleted_and_items_were_added(
    client: httpx.AsyncClient,
) -> None:
    created = await create_all(client, 4)
    first = await client.get(f"{PRODUCTS}?limit=2")

    await client.delete(f"{PRODUCTS}/{created[1]}")
    added = await create(client, "added")
    second = await client.get(str(next_page(first)))

    assert [item["id"] for item in second.json()] == [created[2], created[3]]
    third = await client.get(str(next_page(second)))
    assert third.json() == [added]
    assert next_page(third) is None


async def test_without_a_limit_a_page_has_fifty_items(client: httpx.AsyncClient) -> None:
    await create_all(client, 51)

    response = await client.get(PRODUCTS)

    assert len(response.json()) == 50
    rest = await client.get(str(next_page(response)))
    assert len(rest.json()) == 1


@in_memory_only
@pytest.mark.parametrize("limit", ["1", "200"])
async def test_limits_at_the_bounds_are_taken(client: httpx.AsyncClient, limit: str) -> None:
    assert (await client.get(PRODUCTS, params={"limit": limit})).status_code == 200


@pytest.mark.parametrize(
    ("limit", "error"),
    [
        ("0", "greater_than_equal"),
        ("-1", "greater_than_equal"),
        ("201", "less_than_equal"),
        ("9" * 30, "less_than_equal"),
        ("abc", "int_parsing"),
        ("1.5", "int_parsing"),
        ("", "int_parsing"),
        ("NaN", "int_parsing"),
    ],
)
@in_memory_only
async def test_other_limits_are_rejected(client: httpx.AsyncClient, limit: str, error: str) -> None:
    response = await client.get(PRODUCTS, params={"limit": limit})

    assert errors_of(response) == [("query", "#/limit", error)]


@in_memory_only
@pytest.mark.parametrize(
    "cursor",
    ["", "x", "A" * 28, "A" * 1000, "é", "\x00", "null", "01890a5d-ac96-774b-bcce-b302099a8057"],
)
async def test_a_malformed_cursor_is_rejected(client: httpx.AsyncClient, cursor: str) -> None:
    response = await client.get(PRODUCTS, params={"cursor": cursor})

    assert errors_of(response) == [("query", "#/cursor", "cursor")]


@in_memory_only
async def test_every_alteration_of_one_character_of_a_cursor_is_rejected(
    client: httpx.AsyncClient,
) -> None:
    await create_all(client, 2)
    link = str(next_page(await client.get(f"{PRODUCTS}?limit=1")))
    cursor = httpx.URL(link).params["cursor"]
    assert (await client.get(PRODUCTS, params={"cursor": cursor})).status_code == 200

    altered = {
        cursor[:place] + character + cursor[place + 1 :]
        for place in range(len(cursor))
        for character in string.ascii_letters + string.digits + "-_+/=. "
    } - {cursor}
    shortened = {cursor[:place] + cursor[place + 1 :] for place in range(len(cursor))}
    lengthened = {cursor + character for character in "A=_ "}
    for wrong in altered | shortened | lengthened:
        response = await client.get(PRODUCTS, params={"cursor": wrong})
        assert response.status_code == 422, wrong


async def test_wrong_queries_are_rejected_by_every_storage(client: httpx.AsyncClient) -> None:
    await create_all(client, 2)
    link = httpx.URL(str(next_page(await client.get(f"{PRODUCTS}?limit=1"))))
    cursor = link.params["cursor"]

    for wrong in (
        {"limit": "0"},
        {"limit": "201"},
        {"limit": "abc"},
        {"cursor": cursor[:-1]},
        {"cursor": cursor.swapcase()},
    ):
        assert (await client.get(PRODUCTS, params=wrong)).status_code == 422
    for right in ({"limit": "1"}, {"limit": "200"}, {"cursor": cursor}):
        assert (await client.get(PRODUCTS, params=right)).status_code == 200
