"""ASGI lets a server leave out the headers of a scope (specification, HTTP connection scope)."""

from pathlib import Path
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from entrypoints.kernel.api_keys import new_key
from tests.kernel.integration.service import PRODUCTS, settings_for
from tests.kernel.warehouse.app import create_app


@pytest.fixture(params=["open", "guarded"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, Any]:
    if request.param == "open":
        return {}
    (tmp_path / "keys").write_text(f"{new_key('writer', 'write')[1]}\n")
    return {"api_keys": tmp_path / "keys", "allowed_hosts": "shop.test", "root_path": "/api/x"}


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize("path", ["/health/live", PRODUCTS, "/mounted/x", "/nowhere"])
async def test_a_scope_without_headers_gets_a_response(
    settings: dict[str, Any], kind: str, path: str
) -> None:
    async def mounted(scope: Scope, receive: Receive, send: Send) -> None:
        assert not scope["headers"]
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    async def receive() -> Message:
        return {"type": f"{kind}.request" if kind == "http" else "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    sent: list[Message] = []
    app = create_app(settings_for("memory://", **settings))
    app.mount("/mounted", mounted)
    async with app.router.lifespan_context(app):
        scope: Scope = {"type": kind, "path": path, "query_string": b""}
        if kind == "http":
            scope["method"] = "GET"
        await app(scope, receive, send)

    assert sent
    assert sent[0].get("status", 0) < 500
