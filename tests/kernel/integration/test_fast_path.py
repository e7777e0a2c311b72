"""The fast path responds to requests as FastAPI does, and takes those that are valid
but for their body."""

import threading
from collections.abc import Mapping
from typing import Annotated, Any

import httpx
import pytest
from fastapi import Depends, FastAPI, Request
from starlette.responses import Response
from starlette.routing import Router
from starlette.types import ASGIApp, Receive, Scope, Send

from application.kernel.errors import StorageFull
from entrypoints.http.kernel.service import add_kernel, new_app
from tests.kernel.counting_ids import CountingIds
from tests.kernel.fixed_clock import FixedClock
from tests.kernel.integration.failing_units_of_work import FailingUnitsOfWork
from tests.kernel.integration.service import (
    PRODUCTS,
    UNKNOWN_ID,
    bare_client_of,
    client_of,
    settings_for,
)
from tests.kernel.warehouse.app import create_app

ITEM = f"{PRODUCTS}/{CountingIds().new_id()}"
JSON = {"Content-Type": "application/json"}
REQUESTS: list[tuple[str, str, bytes, Mapping[str, str]]] = [
    ("POST", PRODUCTS, b'{"name": "lamp"}', JSON),
    ("POST", f"{PRODUCTS}/", b'{"name": "desk"}', {**JSON, "Idempotency-Key": "1"}),
    ("POST", f"{PRODUCTS}/", b'{"name": "desk"}', {**JSON, "Idempotency-Key": "1"}),
    ("GET", f"{PRODUCTS}?limit=1", b"", {}),
    ("HEAD", PRODUCTS, b"", {}),
    ("GET", ITEM, b"", {"If-None-Match": '"1"'}),
    ("GET", f"{ITEM}/", b"", {}),
    ("HEAD", ITEM, b"", {}),
    ("PUT", ITEM, b'{"name": "chair"}', {**JSON, "If-Match": '"1"'}),
    ("PATCH", ITEM, b'{"description": "Four legs."}', {**JSON, "If-Match": '"1"'}),
    ("PATCH", ITEM, b'{"description": "Four legs."}', JSON),
    ("DELETE", ITEM, b"", {}),
    ("GET", ITEM, b"", {}),
    ("GET", f"{PRODUCTS}/{UNKNOWN_ID}", b"", {}),
    ("GET", f"{PRODUCTS}/1", b"", {}),
    ("GET", "/nowhere", b"", {}),
    ("DELETE", PRODUCTS, b"", {}),
    ("POST", ITEM, b"{}", JSON),
    ("OPTIONS", ITEM, b"", {}),
    ("GET", PRODUCTS, b"", {"Accept": "text/html"}),
    ("POST", PRODUCTS, b"lamp", {"Content-Type": "text/plain"}),
    ("POST", PRODUCTS, b"{", JSON),
    ("POST", PRODUCTS, b'{"name": " "}', JSON),
    ("GET", f"{PRODUCTS}?limit=0&cursor=x", b"", {}),
    ("GET", "/health/live", b"", {}),
    ("GET", "/health/ready", b"", {}),
]

FAST: list[tuple[str, str, bytes, Mapping[str, str]]] = [
    ("POST", PRODUCTS, b'{"name": "lamp"}', JSON),
    ("POST", f"{PRODUCTS}/", b'{"name": "desk"}', {**JSON, "Idempotency-Key": "1"}),
    ("GET", PRODUCTS, b"", {}),
    ("GET", f"{PRODUCTS}/?limit=1", b"", {}),
    ("HEAD", PRODUCTS, b"", {}),
    ("GET", ITEM, b"", {}),
    ("GET", f"{ITEM}/", b"", {}),
    ("PUT", ITEM, b'{"name": "chair"}', {**JSON, "If-Match": '"1"'}),
    ("PATCH", ITEM, b"{}", JSON),
    ("DELETE", ITEM, b"", {}),
    ("GET", "/health/live", b"", {}),
    ("GET", "/health/ready", b"", {}),
]


def parts_of(response: httpx.Response) -> tuple[int, dict[str, str], str]:
    headers = {name: value for name, value in response.headers.items() if name != "x-request-id"}
    return response.status_code, headers, response.text


async def responses(*, by_fastapi: bool, error: Exception | None = None) -> list[Any]:
    """Return the responses to all requests; with telemetry, every request takes FastAPI's way."""
    units = FailingUnitsOfWork()
    units.on_commit = units.on_reading = error
    settings = settings_for("memory://").model_copy(update={"telemetry_enabled": by_fastapi})
    app = create_app(settings, clock=FixedClock(), ids=CountingIds(), units_of_work=units)
    async with client_of(app) as client:
        return [
            parts_of(
                await client.request(
                    method, path, content=content, headers={**headers, "X-Request-ID": "one"}
                )
            )
            for method, path, content, headers in REQUESTS
        ]


@pytest.mark.parametrize(
    ("error", "status"), [(None, 201), (StorageFull("x"), 507), (ZeroDivisionError(), 500)]
)
async def test_both_ways_respond_the_same(error: Exception | None, status: int) -> None:
    direct = await responses(by_fastapi=False, error=error)

    for request, ours, theirs in zip(
        REQUESTS, direct, await responses(by_fastapi=True, error=error), strict=True
    ):
        assert ours == theirs, request
    assert direct[0][0] == status


@pytest.mark.parametrize("is_added_first", [True, False])
async def test_other_middleware_sees_what_takes_the_fast_path(is_added_first: bool) -> None:
    seen: list[str] = []

    class Note:
        def __init__(self, app: ASGIApp) -> None:
            self._app = app

        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            seen.append(scope["path"])
            await self._app(scope, receive, send)

    settings = settings_for("memory://")
    app = new_app(settings)

    @app.get("/plain")
    async def plain() -> Response:
        return Response()

    if is_added_first:
        app.add_middleware(Note)
    add_kernel(app, settings)
    if not is_added_first:
        app.add_middleware(Note)
    async with bare_client_of(app) as client:
        assert (await client.get("/plain")).status_code == 200

    assert seen == ["/plain"]


async def counted(request: Request) -> int:
    """A dependency that returns how often it was called for the request."""
    request.state.count = getattr(request.state, "count", 0) + 1
    return int(request.state.count)


async def test_a_route_without_a_plain_shape_works_as_in_fastapi() -> None:
    settings = settings_for("memory://")
    app = new_app(settings)

    @app.get("/thread")
    def thread() -> Response:
        return Response(str(threading.current_thread() is threading.main_thread()))

    @app.post("/small", max_body_size=3)
    async def small(request: Request) -> Response:
        return Response(await request.body())

    @app.get("/twice")
    async def twice(
        one: Annotated[int, Depends(counted)], other: Annotated[int, Depends(counted)]
    ) -> Response:
        return Response(f"{one} {other}")

    @app.get("/once")
    async def once(count: Annotated[int, Depends(counted)]) -> Response:
        return Response(str(count))

    add_kernel(app, settings)
    async with bare_client_of(app) as client:
        assert (await client.get("/thread")).text == "False"
        assert (await client.post("/small", content=b"123")).text == "123"
        assert (await client.post("/small", content=b"1234")).status_code == 413
        assert (await client.get("/twice")).text == "1 1"
        assert (await client.get("/once")).text == "1"

        app.dependency_overrides[counted] = lambda: 7
        assert (await client.get("/once")).text == "7"


async def test_valid_requests_take_the_fast_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """No other test notices when a route loses the fast path."""
    asked: list[tuple[str, str]] = []
    way = Router.__call__

    async def note(self: Router, scope: Any, receive: Any, send: Any) -> None:
        asked.append((scope["method"], scope["path"]))
        await way(self, scope, receive, send)

    app = create_app(settings_for("memory://"), ids=CountingIds())
    async with client_of(app) as client:
        monkeypatch.setattr(Router, "__call__", note)
        for method, path, content, headers in FAST:
            response = await client.request(method, path, content=content, headers=headers)
            assert response.status_code < 300
        for content in (b"{}", b"[]", b'{"name": 1}'):
            response = await client.post(PRODUCTS, content=content, headers=JSON)
            assert response.status_code == 422
        assert asked == []

        for path in ("/openapi.json", "/nowhere", f"{PRODUCTS}?limit=0"):
            await client.get(path)
        await client.post(PRODUCTS, content=b"{", headers=JSON)

    assert asked == [
        ("GET", "/openapi.json"),
        ("GET", "/nowhere"),
        ("GET", f"{PRODUCTS}/"),
        ("POST", f"{PRODUCTS}/"),
    ]


async def test_a_line_feed_at_the_end_of_a_path_leads_where_fastapi_leads() -> None:
    plain, ours = FastAPI(), new_app(settings_for("memory://"))
    for app in (plain, ours):

        @app.get("/things/")
        async def all_things() -> Response:
            return Response(b"all")

        @app.get("/things/{name}")
        async def one_thing(name: str) -> Response:
            return Response(name.encode())

    add_kernel(ours, settings_for("memory://"))

    for path in ("/things/%0A", "/things/one%0A", "/things/one"):
        expected, found = [await bare_client_of(app).get(path) for app in (plain, ours)]
        assert found.content == expected.content
