"""`Accept`: a client that does not accept JSON gets a 406 for every request."""

import httpx
import pytest

from tests.kernel.integration.problem_document import problem_of
from tests.kernel.integration.service import PRODUCTS, UNKNOWN_ID, create, in_memory_only

pytestmark = in_memory_only


@pytest.mark.parametrize(
    "accept",
    [
        "*/*",
        "application/json",
        "application/*",
        "Application/JSON",
        "application/json; charset=utf-8",
        "text/html, */*;q=0.1",
        "text/html;q=0, application/json;q=0.5",
        "*/*;q=0, application/json",
        "",
        ",",
    ],
)
async def test_json_is_sent_if_accept_allows_it(client: httpx.AsyncClient, accept: str) -> None:
    assert (await client.get(PRODUCTS, headers={"Accept": accept})).status_code == 200


@pytest.mark.parametrize(
    "accept",
    [
        "text/html",
        "application/xml, text/*",
        "application/json;q=0",
        "application/json;q=0, */*",
        "*/*;q=0.0",
        "application/json;q=nonsense",
        "jason",
    ],
)
async def test_a_client_that_rejects_json_gets_a_problem(
    client: httpx.AsyncClient, accept: str
) -> None:
    problem_of(await client.get(PRODUCTS, headers={"Accept": accept}), 406)


async def test_nothing_is_changed_if_accept_excludes_the_response(
    client: httpx.AsyncClient,
) -> None:
    headers = {"Accept": "text/html"}
    problem_of(await client.post(PRODUCTS, json={"name": "lamp"}, headers=headers), 406)
    assert (await client.get(PRODUCTS)).json() == []


async def test_a_response_without_a_body_suits_every_client(client: httpx.AsyncClient) -> None:
    item = await create(client)
    response = await client.delete(f"{PRODUCTS}/{item['id']}", headers={"Accept": "text/html"})
    assert response.status_code == 204


async def test_an_error_is_a_problem_whatever_is_accepted(client: httpx.AsyncClient) -> None:
    response = await client.delete(f"{PRODUCTS}/{UNKNOWN_ID}", headers={"Accept": "text/html"})
    problem_of(response, 404)
