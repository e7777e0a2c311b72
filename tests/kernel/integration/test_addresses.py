"""Which address supports which method."""

import httpx
import pytest

from tests.kernel.integration.problem_document import problem_of
from tests.kernel.integration.service import PRODUCTS, create, in_memory_only

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "NONSENSE"]
ALLOWED = {
    PRODUCTS: {"GET", "HEAD", "POST"},
    PRODUCTS + "/{id}": {"GET", "HEAD", "PUT", "PATCH", "DELETE"},
    "/health/live": {"GET", "HEAD"},
    "/health/ready": {"GET", "HEAD"},
}


@pytest.fixture(params=["", "/"], ids=["no_slash", "slash"])
def slash(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def test_every_address_responds_without_a_redirect(
    client: httpx.AsyncClient, slash: str
) -> None:
    created = await client.post(PRODUCTS + slash, json={"name": "lamp"})
    item = f"{PRODUCTS}/{created.json()['id']}{slash}"
    responses = [
        created,
        await client.get(PRODUCTS + slash),
        await client.get(PRODUCTS + slash, params={"limit": 1}),
        await client.get(item),
        await client.put(item, json={"name": "desk"}),
        await client.patch(item, json={"name": "chair"}),
        await client.delete(item),
    ]

    assert [response.status_code for response in responses] == [201, 200, 200, 200, 200, 200, 204]


async def test_health_checks_respond_without_a_redirect(
    client: httpx.AsyncClient, slash: str
) -> None:
    assert (await client.get(f"/health/live{slash}")).status_code == 200
    assert (await client.get(f"/health/ready{slash}")).status_code == 200


@in_memory_only
@pytest.mark.parametrize(
    ("address", "method"),
    [
        (address, method)
        for address, allowed in ALLOWED.items()
        for method in METHODS
        if method not in allowed
    ],
)
async def test_an_unsupported_method_gets_the_supported_ones(
    client: httpx.AsyncClient, address: str, method: str, slash: str
) -> None:
    path = address.format(id=(await create(client))["id"]) + slash

    response = await client.request(method, path)

    problem_of(response, 405)
    assert response.headers["Allow"] == ", ".join(sorted(ALLOWED[address]))


@pytest.mark.parametrize("address", ALLOWED)
async def test_head_responds_as_get_without_the_body(
    client: httpx.AsyncClient, address: str, slash: str
) -> None:
    path = address.format(id=(await create(client))["id"]) + slash

    got, head = await client.get(path), await client.head(path)

    assert (head.status_code, head.content) == (200, b"")
    own = {"x-request-id"}
    assert {n: v for n, v in head.headers.items() if n not in own} == {
        n: v for n, v in got.headers.items() if n not in own
    }


async def test_head_of_a_version_that_the_client_has_is_not_modified(
    client: httpx.AsyncClient,
) -> None:
    path = f"{PRODUCTS}/{(await create(client))['id']}"

    response = await client.head(path, headers={"If-None-Match": '"1"'})

    assert (response.status_code, response.headers["ETag"]) == (304, '"1"')


@in_memory_only
@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/nothing",
        "/api",
        "/api/v1",
        "/api/v1/produce",
        PRODUCTS + "//",
        PRODUCTS + "/01890a5d-ac96-774b-bcce-b302099a8057//",
        PRODUCTS + "/01890a5d-ac96-774b-bcce-b302099a8057/more",
        PRODUCTS + "%0A",
        "/health",
        "/health/live/more",
        "/health/live%0A",
        "/with%20space%FF",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
async def test_other_paths_are_a_404(client: httpx.AsyncClient, method: str, path: str) -> None:
    problem_of(await client.request(method, path), 404)
