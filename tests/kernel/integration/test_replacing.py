"""PUT on one item."""

import httpx

from tests.kernel.integration.service import PRODUCTS, create, stored


async def test_both_fields_are_replaced(client: httpx.AsyncClient) -> None:
    item = await create(client)

    response = await client.put(
        f"{PRODUCTS}/{item['id']}", json={"name": " desk ", "description": "It stands."}
    )

    assert response.status_code == 200
    assert response.headers["ETag"] == '"2"'
    replaced = response.json()
    assert replaced == {
        **item,
        "name": "desk",
        "description": "It stands.",
        "version": 2,
        "updated_at": replaced["updated_at"],
    }
    assert replaced["updated_at"] > item["updated_at"]
    assert await stored(client, item["id"]) == replaced


async def test_a_description_that_is_left_out_is_cleared(client: httpx.AsyncClient) -> None:
    item = await create(client, description="It shines.")

    response = await client.put(f"{PRODUCTS}/{item['id']}", json={"name": "lamp"})

    assert response.json()["description"] is None
    assert (await stored(client, item["id"]))["description"] is None


async def test_a_change_to_the_same_values_is_a_new_version(client: httpx.AsyncClient) -> None:
    item = await create(client, "lamp", None)

    for version in (2, 3, 4):
        response = await client.put(f"{PRODUCTS}/{item['id']}", json={"name": "lamp"})
        assert (response.status_code, response.json()["version"]) == (200, version)


async def test_other_items_stay_as_they_are(client: httpx.AsyncClient) -> None:
    first, second, third = [await create(client, name) for name in ("a", "b", "c")]

    replaced = await client.put(f"{PRODUCTS}/{second['id']}", json={"name": "z"})

    # It keeps its place, too.
    assert (await client.get(PRODUCTS)).json() == [first, replaced.json(), third]
