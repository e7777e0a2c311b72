"""POST on the collection."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx
import pytest

from tests.kernel.integration.problem_document import errors_of
from tests.kernel.integration.service import PRODUCTS, create


async def test_the_response_is_the_new_item(client: httpx.AsyncClient) -> None:
    before = datetime.now(UTC)
    response = await client.post(PRODUCTS, json={"name": " lamp ", "description": " It shines. "})

    assert response.status_code == 201
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["ETag"] == '"1"'
    item = response.json()
    assert UUID(item["id"]).version == 7
    assert response.headers["Location"] == f"{PRODUCTS}/{item['id']}"
    assert item == {
        "id": item["id"],
        "name": "lamp",
        "description": " It shines. ",
        "version": 1,
        "created_at": item["created_at"],
        "updated_at": item["created_at"],
    }
    assert item["created_at"].endswith("Z")
    created = datetime.fromisoformat(item["created_at"])
    # The clock may be read before the test's own by a rounding, but never much later.
    assert before - timedelta(milliseconds=1) <= created <= datetime.now(UTC)


async def test_the_location_leads_to_the_item(client: httpx.AsyncClient) -> None:
    created = await client.post(PRODUCTS, json={"name": "lamp"})

    found = await client.get(created.headers["Location"])

    assert (found.status_code, found.json()) == (200, created.json())
    assert found.headers["ETag"] == created.headers["ETag"]


@pytest.mark.parametrize("body", [{"name": "lamp"}, {"name": "lamp", "description": None}])
async def test_a_description_may_be_left_out_or_null(
    client: httpx.AsyncClient, body: dict[str, str | None]
) -> None:
    response = await client.post(PRODUCTS, json=body)

    assert response.status_code == 201
    assert response.json()["description"] is None


@pytest.mark.parametrize(
    ("name", "description"),
    [
        ("n", ""),
        ("n" * 200, "d" * 2_000),
        ("\N{GRINNING FACE}" * 200, "\N{GRINNING FACE}" * 2_000),
        (" " + "n" * 200 + "\t", " "),
        ('it\'s "quoted" \\ 100% :name $1 ?', "two\r\nlines\x01"),
    ],
)
async def test_texts_at_the_bounds_come_back(
    client: httpx.AsyncClient, name: str, description: str
) -> None:
    item = await create(client, name, description)

    assert (item["name"], item["description"]) == (name.strip(), description)
    assert (await client.get(f"{PRODUCTS}/{item['id']}")).json() == item


async def test_all_broken_rules_are_named_at_once(client: httpx.AsyncClient) -> None:
    response = await client.post(PRODUCTS, json={"name": "n" * 201, "description": "d" * 2_001})

    assert errors_of(response) == [
        ("body", "#/name", "too_long"),
        ("body", "#/description", "too_long"),
    ]


async def test_a_rejected_item_is_not_stored(client: httpx.AsyncClient) -> None:
    await client.post(PRODUCTS, json={"name": ""})

    assert (await client.get(PRODUCTS)).json() == []


async def test_the_same_request_twice_makes_two_items(client: httpx.AsyncClient) -> None:
    assert (await create(client, "same"))["id"] != (await create(client, "same"))["id"]
