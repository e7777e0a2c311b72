"""The service below a path prefix (root path), with proxies that strip it and that do not."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request
from starlette.types import ASGIApp, Receive, Scope, Send

from entrypoints.http.kernel.problems.problem_types import KEY_MISSING, NO_SUCH_PATH, UNKNOWN_HOST
from entrypoints.kernel.api_keys import new_key
from entrypoints.kernel.service_settings import InvalidSettings
from tests.kernel.integration.problem_document import problem_of
from tests.kernel.integration.service import PRODUCTS, settings_for
from tests.kernel.warehouse.app import create_app

KEY, LINE = new_key("writer", "write")
BEARING = {"Authorization": f"Bearer {KEY}"}


@dataclass(frozen=True)
class Served:
    """How the app learns of the prefix, and which path reaches it."""

    setting: str
    by_server: str
    by_fastapi: str
    strips: bool

    def below(self, app: FastAPI) -> ASGIApp:
        """Return the app as a server and a proxy have it."""
        if self.by_fastapi:
            app.root_path = self.by_fastapi

        async def proxied(scope: Scope, receive: Receive, send: Send) -> None:
            scope["root_path"] = self.by_server
            if self.strips:
                scope["path"] = scope["path"].removeprefix("/shop")
                scope["raw_path"] = scope["raw_path"].removeprefix(b"/shop")
            await app(scope, receive, send)

        return proxied


WAYS = {
    "the setting, stripped": Served("/shop", "", "", strips=True),
    "the setting, passed on": Served("/shop", "", "", strips=False),
    # uvicorn adds it to the path.
    "the server": Served("", "/shop", "", strips=False),
    "the server and the setting": Served("/shop", "/shop", "", strips=False),
    "FastAPI, stripped": Served("", "", "/shop", strips=True),
    "FastAPI, passed on": Served("", "", "/shop", strips=False),
}


@pytest.fixture(params=list(WAYS.values()), ids=list(WAYS))
def served(request: pytest.FixtureRequest) -> Served:
    found: Served = request.param
    return found


@pytest.fixture
def settings(served: Served, tmp_path: Path) -> dict[str, Any]:
    keys = tmp_path / "keys"
    keys.write_text(LINE)
    return {"root_path": served.setting, "api_keys": keys, "allowed_hosts": "test"}


async def test_addresses_in_responses_lead_back_to_the_service(
    served: Served, settings: dict[str, Any]
) -> None:
    app = create_app(settings_for("memory://", **settings))
    transport = httpx.ASGITransport(served.below(app))
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://test", headers=BEARING) as client,
    ):
        created = await client.post("/shop" + PRODUCTS, json={"name": "lamp"})
        assert created.headers["Location"].startswith("/shop" + PRODUCTS)
        assert (await client.get(created.headers["Location"])).json() == created.json()
        await client.post("/shop" + PRODUCTS, json={"name": "desk"})
        page = await client.get("/shop" + PRODUCTS, params={"limit": 1})
        assert page.links["next"]["url"].startswith("/shop" + PRODUCTS)
        assert (await client.get(page.links["next"]["url"])).status_code == 200
        document = (await client.get("/shop/openapi.json")).json()
        assert document["servers"] == [{"url": "/shop"}]
        # `instance` is compared with the path that was asked for.
        problem_of(await client.get("/shop/a%20b%2Fc"), NO_SUCH_PATH)
        problem_of(await client.get(f"/shop{PRODUCTS}/no-uuid"), NO_SUCH_PATH)


async def test_health_needs_neither_key_nor_host_and_the_rest_does(
    served: Served, settings: dict[str, Any]
) -> None:
    app = create_app(settings_for("memory://", **settings))
    transport = httpx.ASGITransport(served.below(app))
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://test") as client,
    ):
        elsewhere = {"Host": "10.0.0.7"}
        for path in ("/health/live", "/health/ready", "/health/live/"):
            response = await client.get("/shop" + path, headers=elsewhere)
            assert response.status_code == 200
        for path in (PRODUCTS, "/health", "/health/other", "/docs"):
            problem_of(await client.get("/shop" + path), KEY_MISSING)
            problem_of(await client.get("/shop" + path, headers=elsewhere), UNKNOWN_HOST)


@pytest.mark.parametrize("strips", [True, False], ids=["stripped", "passed on"])
async def test_mounted_apps_and_the_url_of_the_request_are_right(strips: bool) -> None:
    app, inner = create_app(settings_for("memory://", root_path="/shop")), FastAPI()
    app.mount("/inner", inner)

    @inner.get("/url")
    async def url(request: Request) -> str:
        return request.url.path

    transport = httpx.ASGITransport(Served("/shop", "", "", strips=strips).below(app))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        assert (await client.get("/shop/inner/url")).json() == "/shop/inner/url"
        asset = await client.get("/shop/static-offline-docs/swagger-ui.css")
        assert asset.status_code == 200


async def test_the_root_path_of_an_outer_app_comes_before_the_setting() -> None:
    app, outer = create_app(settings_for("memory://", root_path="/shop")), FastAPI()
    outer.mount("/inner", app)
    transport = httpx.ASGITransport(outer)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://test") as client,
    ):
        created = await client.post("/inner" + PRODUCTS, json={"name": "lamp"})
        assert created.headers["Location"].startswith("/inner" + PRODUCTS)
        assert (await client.get(created.headers["Location"])).json() == created.json()


async def test_direct_requests_need_no_prefix() -> None:
    app = create_app(settings_for("memory://", root_path="/shop"))
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://test") as client,
    ):
        assert (await client.get("/health/ready")).status_code == 200
        assert (await client.get(PRODUCTS)).json() == []
        # Only whole segments are the prefix.
        assert (await client.get("/shopping" + PRODUCTS)).status_code == 404


@pytest.mark.parametrize("prefix", ["/api", PRODUCTS, "/health", "/docs"])
def test_a_prefix_that_the_apps_own_paths_have_is_rejected(prefix: str) -> None:
    with pytest.raises(InvalidSettings, match=f"APP_ROOT_PATH: .* begin with {prefix} too"):
        create_app(settings_for("memory://", root_path=prefix))
