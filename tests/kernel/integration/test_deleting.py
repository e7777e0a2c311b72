"""DELETE on one item."""

import httpx

from tests.kernel.integration.problem_document import problem_of
from tests.kernel.integration.service import PRODUCTS, create


async def test_a_deleted_item_is_gone(client: httpx.AsyncClient) -> None:
    kept, deleted = await create(client, "kept"), await create(client, "deleted")
    path = f"{PRODUCTS}/{deleted['id']}"

    response = await client.delete(path)

    assert (response.status_code, response.content) == (204, b"")
    assert "Content-Type" not in response.headers
    problem_of(await client.get(path), 404)
    problem_of(await client.put(path, json={"name": "x"}), 404)
    problem_of(await client.patch(path, json={"name": "x"}), 404)
    assert (await client.get(PRODUCTS)).json() == [kept]


async def test_an_item_is_deleted_once(client: httpx.AsyncClient) -> None:
    path = f"{PRODUCTS}/{(await create(client))['id']}"

    assert (await client.delete(path)).status_code == 204
    problem_of(await client.delete(path), 404)


async def test_a_wrong_body_for_a_missing_item_is_named_first(client: httpx.AsyncClient) -> None:
    path = f"{PRODUCTS}/{(await create(client))['id']}"
    await client.delete(path)

    problem_of(await client.put(path, json={"name": ""}), 404)
    problem_of(await client.put(path, json={"name": 1}), 422)
