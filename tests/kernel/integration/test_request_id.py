"""Every request has an id, which its response names."""

import re

import httpx
import pytest

from tests.kernel.integration.failing_units_of_work import FailingUnitsOfWork
from tests.kernel.integration.service import (
    PRODUCTS,
    client_of,
    create,
    in_memory_only,
    settings_for,
)
from tests.kernel.warehouse.app import create_app

pytestmark = in_memory_only
MADE = re.compile("[0-9a-f]{32}")


@pytest.mark.parametrize("request_id", ["a", "A-b_c.9", "x" * 64, "0" * 32])
async def test_a_well_formed_id_is_taken(client: httpx.AsyncClient, request_id: str) -> None:
    for path in (PRODUCTS, "/nothing", "/health/live"):
        response = await client.get(path, headers={"X-Request-ID": request_id})
        assert response.headers.get_list("X-Request-ID") == [request_id]


@pytest.mark.parametrize(
    "request_id",
    [
        b"",
        b" ",
        b"x" * 65,
        b"x" * 60_000,
        b"a b",
        b"a\tb",
        b"a,b",
        b'"a"',
        b"a\n",
        b"a\r\nX-Evil: 1",
        b"a\x00",
        b"a\xff",
        "é".encode(),
        "\N{ARABIC-INDIC DIGIT ONE}".encode(),
    ],
)
async def test_another_is_replaced(client: httpx.AsyncClient, request_id: bytes) -> None:
    response = await client.get(PRODUCTS, headers=[(b"X-Request-ID", request_id)])

    (made,) = response.headers.get_list("X-Request-ID")
    assert MADE.fullmatch(made)


async def test_every_request_gets_its_own(client: httpx.AsyncClient) -> None:
    responses = [await client.get(PRODUCTS) for _ in range(20)]

    assert len({response.headers["X-Request-ID"] for response in responses}) == 20


async def test_every_response_has_one(client: httpx.AsyncClient) -> None:
    item = f"{PRODUCTS}/{(await create(client))['id']}"
    responses = [
        await client.get(item),
        await client.get(item, headers={"If-None-Match": "*"}),
        await client.head(item),
        await client.post(PRODUCTS, json={"name": "x"}),
        await client.post(PRODUCTS, json={}),
        await client.post(PRODUCTS),
        await client.put(PRODUCTS),
        await client.get("/nothing"),
        await client.get("/docs"),
        await client.get("/openapi.json"),
        await client.get("/static-offline-docs/swagger-ui.css"),
        await client.delete(item),
    ]

    statuses = [response.status_code for response in responses]
    assert statuses == [200, 304, 200, 201, 422, 422, 405, 404, 200, 200, 200, 204]
    for response in responses:
        (made,) = response.headers.get_list("X-Request-ID")
        assert MADE.fullmatch(made)


async def test_a_failure_of_the_service_names_it_too(storage_url: str) -> None:
    units = FailingUnitsOfWork()
    units.on_reading = RuntimeError("broken")
    app = create_app(settings_for(storage_url), units_of_work=units)
    async with client_of(app) as client:
        response = await client.get(PRODUCTS, headers={"X-Request-ID": "mine"})

    assert response.status_code == 500
    assert response.headers.get_list("X-Request-ID") == ["mine"]
    assert response.json()["request_id"] == "mine"
