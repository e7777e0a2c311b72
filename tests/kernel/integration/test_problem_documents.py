"""Every error is a problem document, those of the framework and unforeseen ones included."""

import httpx
import pytest
from fastapi import FastAPI
from starlette.exceptions import HTTPException

from application.kernel.errors import OutcomeUnknown, StorageFull, StorageUnavailable
from tests.kernel.integration.failing_units_of_work import FailingUnitsOfWork
from tests.kernel.integration.problem_document import problem_of
from tests.kernel.integration.service import (
    JSON,
    PRODUCTS,
    UNKNOWN_ID,
    client_of,
    create,
    settings_for,
)
from tests.kernel.warehouse.app import create_app

SECRET = "postgresql+asyncpg://service:hunter2@db/items"


async def test_errors_of_every_kind_are_problem_documents(client: httpx.AsyncClient) -> None:
    item = f"{PRODUCTS}/{(await create(client))['id']}"

    problem_of(await client.get("/nothing"), 404)
    problem_of(await client.get(f"{PRODUCTS}/no-uuid"), 404)
    problem_of(await client.get(f"{PRODUCTS}/{UNKNOWN_ID}"), 404)
    problem_of(await client.put(PRODUCTS), 405)
    problem_of(await client.put(item, json={"name": "x"}, headers={"If-Match": '"7"'}), 412)
    problem_of(await client.post(PRODUCTS, content="name=x"), 415)
    problem_of(await client.post(PRODUCTS, content="{", headers=JSON), 422)
    problem_of(await client.post(PRODUCTS, json={"name": ""}), 422)
    problem_of(await client.get(PRODUCTS, params={"limit": 0}), 422)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", PRODUCTS),
        ("GET", f"{PRODUCTS}/{UNKNOWN_ID}"),
        ("POST", PRODUCTS),
        ("PUT", f"{PRODUCTS}/{{id}}"),
        ("PATCH", f"{PRODUCTS}/{{id}}"),
        ("DELETE", f"{PRODUCTS}/{{id}}"),
    ],
)
@pytest.mark.parametrize(
    ("error", "status"),
    [
        (RuntimeError(SECRET), 500),
        (KeyError(SECRET), 500),
        (StorageUnavailable(SECRET), 503),
        (OutcomeUnknown(SECRET), 503),
        (StorageFull(SECRET), 507),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_an_exception_does_not_show_its_text(
    method: str, path: str, error: Exception, status: int
) -> None:
    units = FailingUnitsOfWork()
    app = create_app(settings_for("memory://"), units_of_work=units)
    async with client_of(app) as client:
        item = await create(client)
        units.on_reading = units.on_commit = error
        body = {"name": "x"} if method in {"POST", "PUT", "PATCH"} else None

        response = await client.request(method, path.format(id=item["id"]), json=body)

    problem_of(response, status)
    assert "hunter2" not in response.text + str(response.headers)
    assert type(error).__name__ not in response.text


async def test_units_of_work_that_cannot_be_made_are_a_problem() -> None:
    class Broken:
        def for_reading(self) -> None:
            raise RuntimeError(SECRET)

    app = create_app(settings_for("memory://"), units_of_work=Broken())
    async with client_of(app) as client:
        response = await client.get(PRODUCTS)

    problem_of(response, 500)
    assert "hunter2" not in response.text


async def test_errors_that_other_routes_raise_are_problem_documents() -> None:
    app = create_app(settings_for("memory://"))

    @app.get("/teapot")
    async def teapot() -> None:
        raise HTTPException(418, "short and stout", headers={"X-Spout": "yes"})

    @app.get("/broken")
    async def broken(number: int) -> int:
        return 1 // number

    @app.get("/loans/{number}")
    async def loan(number: int) -> int:
        raise HTTPException(404, f"There is no loan {number}.")

    @app.get("/unnamed")
    async def unnamed() -> None:
        raise HTTPException(499, "The client has gone.")

    async with client_of(app) as client:
        response = await client.get("/loans/7")
        assert problem_of(response, 404, blank=True)["detail"] == "There is no loan 7."
        assert problem_of(await client.get("/unnamed"), 499, blank=True)["title"] == "Error"
        response = await client.get("/teapot")
        assert problem_of(response, 418, blank=True)["detail"] == "short and stout"
        assert response.headers["X-Spout"] == "yes"
        problem_of(await client.get("/broken", params={"number": 0}), 500)
        error = problem_of(await client.get("/broken"), 422)["errors"][0]
        assert (error["in"], error["pointer"], error["type"]) == ("query", "#/number", "missing")


@pytest.mark.parametrize(
    "path", ["/nothing", "/static-offline-docs/nothing", PRODUCTS + "/no-uuid"]
)
async def test_the_instance_is_the_address_as_the_client_wrote_it(path: str) -> None:
    app = create_app(settings_for("memory://"))
    async with client_of(app) as client:
        assert problem_of(await client.get(path), 404)["instance"] == path


async def test_the_instance_is_right_below_another_app() -> None:
    app, outer = create_app(settings_for("memory://")), FastAPI()
    outer.mount("/inner", app)
    transport = httpx.ASGITransport(outer)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://test") as client,
    ):
        assert problem_of(await client.get("/inner/nothing"), 404)["instance"] == "/inner/nothing"
        created = await client.post("/inner" + PRODUCTS, json={"name": "lamp"})
        assert (await client.get(created.headers["Location"])).json() == created.json()
        await client.post("/inner" + PRODUCTS, json={"name": "desk"})
        page = await client.get("/inner" + PRODUCTS, params={"limit": 1})
        assert (await client.get(page.links["next"]["url"])).status_code == 200
