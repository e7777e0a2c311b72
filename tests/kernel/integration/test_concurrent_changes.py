"""Several clients change one item at the same time, and no update is lost."""

import asyncio
from collections import Counter

import httpx
import pytest

from tests.kernel.integration.problem_document import problem_of
from tests.kernel.integration.service import PRODUCTS, create, stored


@pytest.mark.parametrize("round_", range(5))
async def test_two_concurrent_patches_are_both_made_or_one_is_rejected(
    client: httpx.AsyncClient, round_: int
) -> None:
    item = await create(client, "lamp", "It shines.")
    path = f"{PRODUCTS}/{item['id']}"

    one, other = await asyncio.gather(
        client.patch(path, json={"name": "desk"}),
        client.patch(path, json={"description": "It stands."}),
    )

    made = [response for response in (one, other) if response.status_code == 200]
    for response in (one, other):
        if response not in made:
            problem_of(response, 409)
    assert made
    final = await stored(client, item["id"])
    assert final["version"] == 1 + len(made)
    assert final["name"] == ("desk" if one in made else "lamp")
    assert final["description"] == ("It stands." if other in made else "It shines.")


async def test_every_replacement_that_was_made_is_a_version_of_its_own(
    client: httpx.AsyncClient,
) -> None:
    item = await create(client)
    path = f"{PRODUCTS}/{item['id']}"

    responses = await asyncio.gather(
        *(client.put(path, json={"name": f"name {n}"}) for n in range(20))
    )

    statuses = Counter(response.status_code for response in responses)
    assert set(statuses) <= {200, 409}
    assert statuses[200] >= 1
    made = {a.json()["version"]: a.json() for a in responses if a.status_code == 200}
    assert sorted(made) == list(range(2, 2 + statuses[200]))
    assert await stored(client, item["id"]) == made[max(made)]


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
async def test_one_of_twenty_changes_of_the_same_version_is_made(
    client: httpx.AsyncClient, method: str
) -> None:
    item = await create(client)

    responses = await asyncio.gather(
        *(
            client.request(
                method,
                f"{PRODUCTS}/{item['id']}",
                json={"name": f"name {n}"},
                headers={"If-Match": '"1"'},
            )
            for n in range(20)
        )
    )

    assert Counter(response.status_code for response in responses) == {200: 1, 412: 19}
    (made,) = (response.json() for response in responses if response.status_code == 200)
    assert await stored(client, item["id"]) == made
    for response in responses:
        if response.status_code == 412:
            problem_of(response, 412)


async def test_one_of_twenty_deletions_is_made(client: httpx.AsyncClient) -> None:
    item = await create(client)

    responses = await asyncio.gather(
        *(client.delete(f"{PRODUCTS}/{item['id']}") for _ in range(20))
    )

    statuses = Counter(response.status_code for response in responses)
    assert statuses[204] == 1
    assert set(statuses) <= {204, 404, 409}
    problem_of(await client.get(f"{PRODUCTS}/{item['id']}"), 404)


async def test_fifty_concurrent_creations_are_all_made(client: httpx.AsyncClient) -> None:
    created = await asyncio.gather(*(create(client, f"item {n}") for n in range(50)))

    listed = (await client.get(PRODUCTS, params={"limit": 200})).json()
    assert sorted(listed, key=lambda item: item["id"]) == listed
    assert sorted(created, key=lambda item: str(item["id"])) == listed


@pytest.mark.parametrize("headers", [{"If-Match": "*"}, {}], ids=["any version", "no condition"])
@pytest.mark.parametrize("method", ["PUT", "PATCH"])
async def test_changes_that_name_no_version_are_retried_until_they_are_made(
    client: httpx.AsyncClient, method: str, headers: dict[str, str]
) -> None:
    item = await create(client)
    path = f"{PRODUCTS}/{item['id']}"

    responses = await asyncio.gather(
        *(
            client.request(method, path, json={"name": f"name {n}"}, headers=headers)
            for n in range(20)
        )
    )

    assert Counter(response.status_code for response in responses) == {200: 20}
    assert sorted(response.json()["version"] for response in responses) == list(range(2, 22))


async def test_of_deletions_of_any_version_one_finds_the_item(client: httpx.AsyncClient) -> None:
    item = await create(client)
    path = f"{PRODUCTS}/{item['id']}"

    responses = await asyncio.gather(
        *(client.delete(path, headers={"If-Match": "*"}) for _ in range(20))
    )

    assert Counter(response.status_code for response in responses) == {204: 1, 404: 19}
