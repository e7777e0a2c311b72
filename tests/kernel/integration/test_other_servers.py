"""The app under another server than its own: what an app can hold, it holds there too."""

import json
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request, WebSocket
from starlette.types import Message, Receive, Scope, Send

from entrypoints.http.kernel.problems.problem_types import BODY_TOO_LARGE, KEYS_NOT_CONFIGURED
from entrypoints.kernel.app_start import CANNOT_START
from tests.kernel.integration.problem_document import problem_of
from tests.kernel.integration.service import JSON, PRODUCTS, settings_for
from tests.kernel.integration.websocket_handshake import open_websocket
from tests.kernel.processes.service_process import ServiceProcess
from tests.kernel.warehouse.app import create_app

UVICORN = (
    "-m",
    "uvicorn",
    "--factory",
    "tests.kernel.warehouse.asgi:app",
    "--port",
    "{port}",
)
LARGE = b'{"name": "' + b"x" * 2_000 + b'"}'


def service(*options: str, **settings: str) -> ServiceProcess:
    return ServiceProcess(
        {"APP_DATABASE_URL": "memory://", "APP_MAX_BODY_BYTES": "1000", **settings},
        arguments=[*UVICORN, *options],
    )


def own_address() -> str | None:
    """Return an address of this machine that others could reach, if it has any."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # nothing is sent
        except OSError:
            return None
        address: str = probe.getsockname()[0]
        return address


async def in_pieces(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), 500):
        yield body[start : start + 500]


async def test_uvicorn_serves_it_with_a_limit_to_bodies_and_says_what_is_off() -> None:
    async with service() as process:
        async with httpx.AsyncClient(base_url=process.base_url, trust_env=False) as client:
            created = await client.post(PRODUCTS, json={"name": "lamp"})
            assert created.status_code == 201
            whole = await client.post(PRODUCTS, content=LARGE, headers=JSON)
            pieces = await client.post(PRODUCTS, content=in_pieces(LARGE), headers=JSON)
        for response in (whole, pieces):
            problem_of(response, BODY_TOO_LARGE)

    lines = [line for line in process.log_lines() if isinstance(line, dict) and "without" in line]
    (line,) = lines
    assert line["level"] == "warning"
    assert "header fields" in line["without"]


async def test_uvicorn_on_an_open_address_serves_no_client_without_keys() -> None:
    address = own_address()
    if address is None:
        pytest.skip("this machine has no address but loopback")
    async with (
        service("--host", "0.0.0.0") as process,
        httpx.AsyncClient(trust_env=False) as client,
    ):
        for _ in range(2):
            open_url = f"http://{address}:{process.port}{PRODUCTS}"
            problem_of(await client.get(open_url), KEYS_NOT_CONFIGURED)
        assert (await client.get(f"{process.base_url}{PRODUCTS}")).status_code == 200

    errors = [
        line
        for line in process.log_lines()
        if isinstance(line, dict) and line.get("level") == "error"
    ]
    (error,) = errors
    assert address in error["reason"]
    assert "APP_ALLOW_ANONYMOUS=true" in error["reason"]


async def test_a_start_with_a_broken_key_file_is_one_line_and_an_exit_code(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("hunter2")
    process = ServiceProcess({"APP_API_KEYS": "keys"}, cwd=tmp_path, arguments=UVICORN)
    process.launch()
    try:
        assert await process.wait() == CANNOT_START
    finally:
        process.kill()
        await process.close()

    (line,) = process.log.splitlines()
    assert json.loads(line)["reason"].startswith("APP_API_KEYS: keys: line 1 ")
    assert "hunter2" not in line


@asynccontextmanager
async def client_at(
    url: str, app: FastAPI, server: Sequence[Any]
) -> AsyncIterator[httpx.AsyncClient]:
    """Yield a client of an app whose server says that it listens there."""

    async def served(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, "server": server}, receive, send)

    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(served), base_url=url) as client,
    ):
        yield client


@pytest.mark.parametrize(
    "host", ["192.0.2.7", "10.0.0.1", "2001:db8::1", "fe80::1%eth0", "::ffff:192.0.2.7"]
)
async def test_no_address_that_others_reach_is_served_without_keys(host: str) -> None:
    app = create_app(settings_for("memory://"))
    async with client_at("http://test", app, (host, 80)) as client:
        problem_of(await client.get(PRODUCTS), KEYS_NOT_CONFIGURED)
        problem_of(await client.post(PRODUCTS, json={"name": "lamp"}), KEYS_NOT_CONFIGURED)
        assert (await client.get("/health/ready")).status_code == 200


@pytest.mark.parametrize(
    "server",
    [
        ("127.0.0.1", 80),
        ("127.0.0.2", 80),
        ("::1", 80),
        ("::ffff:127.0.0.1", 80),
        ("/run/service.sock", None),
        ("test", 80),
        None,
    ],
    ids=str,
)
async def test_an_address_of_this_machine_alone_is_served(server: Any) -> None:
    async with client_at("http://test", create_app(settings_for("memory://")), server) as client:
        assert (await client.get(PRODUCTS)).status_code == 200


async def test_an_open_address_is_served_if_that_is_intended() -> None:
    app = create_app(settings_for("memory://", allow_anonymous=True))
    async with client_at("http://test", app, ("192.0.2.7", 80)) as client:
        assert (await client.get(PRODUCTS)).status_code == 200


async def test_a_websocket_by_an_open_address_is_denied() -> None:
    app = create_app(settings_for("memory://"))

    @app.websocket("/feed")
    async def feed(websocket: WebSocket) -> None:
        await websocket.accept()

    async def served(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, "server": ("192.0.2.7", 80)}, receive, send)

    assert (await open_websocket(served, "/feed")).status == 403


@pytest.mark.parametrize("path", [PRODUCTS, "/plain", "/raw/x"])
@pytest.mark.parametrize("whole", [True, False], ids=["with a length", "in pieces"])
async def test_a_body_is_limited_however_the_route_reads_it(path: str, whole: bool) -> None:
    app = create_app(settings_for("memory://", max_body_bytes=1000))

    @app.post("/plain")
    async def plain(request: Request) -> int:
        return len(await request.body())

    async def raw(scope: Scope, receive: Receive, send: Send) -> None:
        message: Message = {"more_body": True}
        while message.get("more_body"):
            message = await receive()

    app.mount("/raw", raw)
    async with client_at("http://test", app, ("127.0.0.1", 80)) as client:
        content = LARGE if whole else in_pieces(LARGE)
        problem_of(await client.post(path, content=content, headers=JSON), BODY_TOO_LARGE)


async def test_a_body_that_says_it_is_too_large_is_not_read() -> None:
    read = []

    class Body(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            read.append(True)
            yield LARGE

    app = create_app(settings_for("memory://", max_body_bytes=1000))
    headers = {**JSON, "Content-Length": str(len(LARGE))}
    async with client_at("http://test", app, ("127.0.0.1", 80)) as client:
        request = httpx.Request("POST", f"http://test{PRODUCTS}", headers=headers, stream=Body())
        problem_of(await client.send(request), BODY_TOO_LARGE)

    assert not read
