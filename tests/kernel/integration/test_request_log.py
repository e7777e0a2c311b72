"""Each request has one log line, without anything that does not belong in a log."""

import asyncio
from typing import Any

import httpx

from tests.kernel.integration.failing_units_of_work import FailingUnitsOfWork
from tests.kernel.integration.service import (
    JSON,
    PRODUCTS,
    client_of,
    create,
    in_memory_only,
    settings_for,
)
from tests.kernel.warehouse.app import create_app

Lines = list[Any]
SECRET = "hunter2"


async def test_a_request_is_one_line(client: httpx.AsyncClient, log_lines: Lines) -> None:
    response = await client.get(PRODUCTS)

    _started, line = log_lines
    assert 0 < line.pop("duration_ms") < 10_000
    assert line == {
        "event": "request",
        "log_level": "info",
        "method": "GET",
        "route": f"{PRODUCTS}/",
        "status": 200,
        "request_id": response.headers["X-Request-ID"],
    }


@in_memory_only
async def test_a_line_names_the_route_and_not_the_path(
    client: httpx.AsyncClient, log_lines: Lines
) -> None:
    item = f"{PRODUCTS}/{(await create(client))['id']}"
    template = PRODUCTS + "/{product_id}"
    log_lines.clear()

    await client.get(item)
    await client.get(item + "/")
    await client.put(item, json={"name": ""})
    await client.post(item)
    await client.get(f"{PRODUCTS}/{SECRET}")
    await client.get(f"/{SECRET}", params={"token": SECRET})
    await client.delete(item)

    assert [(line["method"], line["route"], line["status"]) for line in log_lines] == [
        ("GET", template, 200),
        ("GET", template, 200),
        ("PUT", template, 422),
        ("POST", template, 405),
        ("GET", None, 404),
        ("GET", None, 404),
        ("DELETE", template, 204),
    ]
    assert SECRET not in str(log_lines)


@in_memory_only
async def test_no_line_has_a_body_a_query_or_a_header(
    client: httpx.AsyncClient, log_lines: Lines
) -> None:
    headers = {"Authorization": f"Bearer {SECRET}", "Cookie": f"session={SECRET}", **JSON}
    await client.post(PRODUCTS, json={"name": SECRET, "description": SECRET}, headers=headers)
    await client.post(PRODUCTS, content=f'{{"{SECRET}": 1', headers=headers)
    await client.get(PRODUCTS, params={"cursor": SECRET}, headers={"If-Match": SECRET, **headers})

    assert [line["event"] for line in log_lines] == ["service started", *["request"] * 3]
    assert SECRET not in str(log_lines)


async def test_a_failure_is_reported_with_its_exception(log_lines: Lines) -> None:
    units = FailingUnitsOfWork()
    units.on_reading = RuntimeError("broken")
    app = create_app(settings_for("memory://"), units_of_work=units)
    async with client_of(app) as client:
        response = await client.get(PRODUCTS)

    _started, failure, request = log_lines
    assert (failure["event"], failure["log_level"]) == ("unhandled error", "error")
    assert failure["exc_info"]
    assert (request["event"], request["status"]) == ("request", 500)
    assert failure["request_id"] == request["request_id"] == response.headers["X-Request-ID"]


@in_memory_only
async def test_concurrent_requests_keep_their_own_ids(
    client: httpx.AsyncClient, log_lines: Lines
) -> None:
    await asyncio.gather(
        *(client.get(PRODUCTS, headers={"X-Request-ID": f"request-{n}"}) for n in range(50))
    )

    _started, *requests = log_lines
    assert sorted(line["request_id"] for line in requests) == sorted(
        f"request-{n}" for n in range(50)
    )


@in_memory_only
async def test_a_line_says_how_long_it_took(client: httpx.AsyncClient, log_lines: Lines) -> None:
    units = FailingUnitsOfWork()
    original = units.for_reading

    class Slow:
        async def __aenter__(self) -> Any:
            await asyncio.sleep(0.05)
            return await original().__aenter__()

        async def __aexit__(self, *_: object) -> None: ...

    units.for_reading = Slow  # type: ignore[method-assign,assignment]
    async with client_of(create_app(settings_for("memory://"), units_of_work=units)) as slow:
        await slow.get(PRODUCTS)

    assert log_lines[-1]["duration_ms"] >= 50
