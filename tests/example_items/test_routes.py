import httpx

from tests.kernel.suites.resource import ResourceSuite

PATH = "/api/v1/examples/database-example"


class TestExampleItems(ResourceSuite):
    path = PATH
    body = {"name": "lamp", "description": "It shines."}
    patch = {"description": None}
    wrong = {"name": " "}


async def test_a_name_is_trimmed(async_client: httpx.AsyncClient) -> None:
    created = await async_client.post(PATH, json={"name": " lamp "})

    assert created.json()["name"] == "lamp"
