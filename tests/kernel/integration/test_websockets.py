"""Websockets are let in as requests are: by key and by host, whichever app they are for."""

from pathlib import Path
from typing import Any

import orjson
import pytest
from fastapi import APIRouter, FastAPI, WebSocket
from starlette.types import Receive, Scope, Send

from entrypoints.http.kernel.middleware.authentication import ClientName
from entrypoints.http.kernel.problems.problem_types import (
    KEY_MISSING,
    KEY_READS_ONLY,
    KEY_UNKNOWN,
    UNKNOWN_HOST,
    ProblemType,
)
from entrypoints.kernel.api_keys import new_key
from tests.kernel.integration.service import settings_for
from tests.kernel.integration.websocket_handshake import Handshake, open_websocket
from tests.kernel.warehouse.app import create_app

READER, READER_LINE = new_key("reader", "read")
WRITER, WRITER_LINE = new_key("writer", "write")
PATHS = ["/feed", "/inner/feed", "/raw/feed", "/nowhere", "/health/live"]


@pytest.fixture(params=[True, False], ids=["denial", "close"])
def can_deny(request: pytest.FixtureRequest) -> bool:
    """Whether the server can respond to a handshake with more than a bare 403."""
    return bool(request.param)


def app_for(opened: list[Any], **settings: Any) -> FastAPI:
    """Return an app with a websocket of its own, one of a mounted app, and a mounted ASGI app."""

    async def feed(websocket: WebSocket, client: ClientName) -> None:
        opened.append(client)
        await websocket.accept()

    async def raw(scope: Scope, receive: Receive, send: Send) -> None:
        opened.append(scope["client_name"])
        await send({"type": "websocket.accept"})

    app, inner = create_app(settings_for("memory://", **settings)), FastAPI()
    for each in (app, inner):
        each.websocket("/feed")(feed)
    app.mount("/inner", inner)
    app.mount("/raw", raw)
    return app


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "keys"
    path.write_text(f"{READER_LINE}\n{WRITER_LINE}\n")
    return path


def assert_denied(handshake: Handshake, expected: ProblemType, *, can_deny: bool) -> None:
    first = handshake.messages[0]
    if can_deny:
        assert first["status"] == expected.status
        headers = dict(first["headers"])
        assert headers[b"content-type"] == b"application/problem+json"
        problem = orjson.loads(handshake.messages[1]["body"])
        assert problem["type"] == expected.uri
        assert problem["request_id"] == headers[b"x-request-id"].decode()
    else:
        assert handshake.messages == [{"type": "websocket.close", "code": 1008, "reason": ""}]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("key", "expected"),
    [(None, KEY_MISSING), ("Bearer x", KEY_UNKNOWN), (f"Bearer {READER}", KEY_READS_ONLY)],
    ids=["no key", "unknown", "reads only"],
)
async def test_no_websocket_is_opened_without_a_key_that_writes(
    key_file: Path, path: str, key: str | None, expected: ProblemType, can_deny: bool
) -> None:
    opened: list[Any] = []
    headers = [("Authorization", key)] if key else []

    handshake = await open_websocket(
        app_for(opened, api_keys=key_file), path, headers, can_deny=can_deny
    )

    assert_denied(handshake, expected, can_deny=can_deny)
    assert not opened


@pytest.mark.parametrize("path", PATHS)
async def test_no_websocket_is_opened_for_another_host(path: str, can_deny: bool) -> None:
    opened: list[Any] = []

    handshake = await open_websocket(
        app_for(opened, allowed_hosts="shop.test"), path, can_deny=can_deny
    )

    assert_denied(handshake, UNKNOWN_HOST, can_deny=can_deny)
    assert not opened


@pytest.mark.parametrize("path", ["/feed", "/inner/feed", "/raw/feed"])
async def test_a_key_that_writes_opens_a_websocket_and_names_its_client(
    key_file: Path, path: str, log_lines: list[Any]
) -> None:
    opened: list[Any] = []
    app = app_for(opened, api_keys=key_file, allowed_hosts="*.shop.test")

    handshake = await open_websocket(app, path, [("Authorization", f"Bearer {WRITER}")])

    assert handshake.status == 101
    assert opened == ["writer"]
    line = log_lines[-1]
    assert (line["event"], line["accepted"], line["client"]) == ("websocket", True, "writer")
    assert line["request_id"].encode() == dict(handshake.messages[0]["headers"])[b"x-request-id"]


async def test_a_denied_websocket_is_logged(key_file: Path, log_lines: list[Any]) -> None:
    await open_websocket(app_for([], api_keys=key_file), "/feed")

    (line,) = log_lines
    assert (line["event"], line["accepted"]) == ("websocket", False)
    assert "client" not in line


@pytest.mark.parametrize(
    ("path", "route"),
    [("/rooms/hunter2", "/rooms/{room}"), ("/v1/hunter2/feed", "/v1/{room}/feed"), ("/no", None)],
)
async def test_a_line_names_the_route_and_not_the_path(
    path: str, route: str | None, log_lines: list[Any]
) -> None:
    async def feed(websocket: WebSocket, room: str) -> None:
        await websocket.accept()

    app, router = app_for([]), APIRouter()
    app.websocket("/rooms/{room}")(feed)
    router.websocket("/{room}/feed")(feed)
    app.include_router(router, prefix="/v1")

    await open_websocket(app, path)

    assert [line["route"] for line in log_lines] == [route]
    assert "hunter2" not in str(log_lines)


async def test_without_keys_any_client_can_open_a_websocket() -> None:
    opened: list[Any] = []

    assert (await open_websocket(app_for(opened), "/feed")).is_accepted
    assert opened == [None]
