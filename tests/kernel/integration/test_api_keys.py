"""API keys: which client may use the API, and how keys are added and removed."""

import os
import re
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

import entrypoints.kernel.command_line
from entrypoints.http.kernel.middleware.authentication import ClientName
from entrypoints.http.kernel.problems.problem_types import KEY_MISSING, KEY_UNKNOWN
from entrypoints.kernel import api_keys
from entrypoints.kernel.api_keys import ApiKeys, new_key
from tests.kernel.integration.problem_document import problem_of
from tests.kernel.integration.service import PRODUCTS, client_of, settings_for
from tests.kernel.warehouse.app import create_app

READER, READER_LINE = new_key("reader", "read")
WRITER, WRITER_LINE = new_key("writer", "write")

Command = Callable[..., tuple[int, str, str]]


def bearing(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "keys"
    path.write_text(f"# clients\n\n{READER_LINE}\n{WRITER_LINE}\n")
    return path


@pytest.fixture
async def client(key_file: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(create_app(settings_for("memory://", api_keys=key_file))) as client:
        yield client


@pytest.mark.parametrize(
    "address", [PRODUCTS, f"{PRODUCTS}/1", "/docs", "/openapi.json", "/nowhere"]
)
async def test_without_a_key_no_data_is_returned(client: httpx.AsyncClient, address: str) -> None:
    response = await client.get(address)
    problem_of(response, 401)
    assert response.headers["WWW-Authenticate"] == "Bearer"


async def test_without_a_key_no_mounted_app_is_reached(key_file: Path) -> None:
    app, inner = create_app(settings_for("memory://", api_keys=key_file)), FastAPI()
    app.mount("/inner", inner)

    @inner.get("/health/live")
    async def name_of(client: ClientName) -> str | None:
        return client

    async with client_of(app) as client:
        for address in ("/inner/health/live", "/inner/nowhere", "/inner/openapi.json"):
            problem_of(await client.get(address), KEY_MISSING)
        response = await client.get("/inner/health/live", headers=bearing(READER))
        assert response.json() == "reader"


@pytest.mark.parametrize("address", ["/health/live", "/health/ready"])
async def test_health_needs_no_key(client: httpx.AsyncClient, address: str) -> None:
    assert (await client.get(address)).status_code == 200


@pytest.mark.parametrize(
    "value",
    [
        f"Bearer {READER[:-1]}",
        f"Bearer {READER}x",
        f"Bearer {READER_LINE.split()[-1]}",
        "Bearer",
        "Bearer ",
    ],
    ids=["too short", "too long", "the hash", "nothing", "a space"],
)
async def test_an_unknown_key_is_rejected(client: httpx.AsyncClient, value: str) -> None:
    response = await client.get(PRODUCTS, headers={"Authorization": value})
    problem_of(response, 401)
    assert response.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'


@pytest.mark.parametrize("value", [f"Basic {READER}", READER], ids=["basic", "none"])
async def test_another_scheme_is_rejected(client: httpx.AsyncClient, value: str) -> None:
    problem_of(await client.get(PRODUCTS, headers={"Authorization": value}), 401)


async def test_two_keys_at_once_are_rejected(client: httpx.AsyncClient) -> None:
    headers = [("Authorization", f"Bearer {key}") for key in (READER, WRITER)]
    problem_of(await client.get(PRODUCTS, headers=headers), 401)


async def test_a_key_that_reads_may_not_write(client: httpx.AsyncClient) -> None:
    assert (await client.get(PRODUCTS, headers=bearing(READER))).status_code == 200
    assert (await client.head(PRODUCTS, headers=bearing(READER))).status_code == 200
    response = await client.post(PRODUCTS, headers=bearing(READER), json={"name": "lamp"})
    problem_of(response, 403)
    assert (
        response.headers["WWW-Authenticate"] == 'Bearer error="insufficient_scope", scope="write"'
    )
    assert (await client.get(PRODUCTS, headers=bearing(READER))).json() == []


async def test_a_key_that_writes_may_do_both(client: httpx.AsyncClient) -> None:
    response = await client.post(PRODUCTS, headers=bearing(WRITER), json={"name": "lamp"})
    assert response.status_code == 201
    response = await client.get(PRODUCTS, headers={"Authorization": f"bearer {WRITER}"})
    assert [item["name"] for item in response.json()] == ["lamp"]


async def test_the_document_describes_the_keys(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json", headers=bearing(READER))).json()
    (scheme,) = document["components"]["securitySchemes"].values()
    assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")
    listing = document["paths"][f"{PRODUCTS}/"]["get"]
    assert listing["security"]
    assert {"401", "403"} <= listing["responses"].keys()
    assert "security" not in document["paths"]["/health/live"]["get"]


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look at the file for each request, and take it as it is."""
    monkeypatch.setattr(api_keys, "CHECK_FILE_SECONDS", 0)
    monkeypatch.setattr(api_keys, "SETTLE_SECONDS", 0)


@pytest.mark.usefixtures("at_once")
async def test_keys_come_and_go_without_a_restart(key_file: Path) -> None:
    async with client_of(create_app(settings_for("memory://", api_keys=key_file))) as client:
        newcomer, line = new_key("newcomer", "write")
        problem_of(await client.get(PRODUCTS, headers=bearing(newcomer)), 401)
        key_file.write_text(line)
        assert (await client.get(PRODUCTS, headers=bearing(newcomer))).status_code == 200
        problem_of(await client.get(PRODUCTS, headers=bearing(READER)), 401)


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize(
    "content",
    [b"reader write nonsense", b"\xff\xfe", f"{READER_LINE}\n{READER_LINE}".encode(), None],
    ids=["a wrong line", "no text", "a name twice", "gone"],
)
async def test_keys_stay_when_the_file_is_spoiled(
    key_file: Path, content: bytes | None, log_lines: list[Any]
) -> None:
    async with client_of(create_app(settings_for("memory://", api_keys=key_file))) as client:
        if content is None:
            key_file.unlink()
        else:
            key_file.write_bytes(content)
        for _ in range(2):
            assert (await client.get(PRODUCTS, headers=bearing(READER))).status_code == 200

    (line,) = [each for each in log_lines if each["log_level"] == "error"]
    assert line["event"] == "the API keys stay as they were"


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("content", ["", "# nobody\n"], ids=["empty", "comments"])
async def test_the_last_key_can_be_revoked(
    key_file: Path, content: str, log_lines: list[Any]
) -> None:
    async with client_of(create_app(settings_for("memory://", api_keys=key_file))) as client:
        assert (await client.get(PRODUCTS, headers=bearing(WRITER))).status_code == 200
        key_file.write_text(content)
        for key in (READER, WRITER):
            problem_of(await client.get(PRODUCTS, headers=bearing(key)), KEY_UNKNOWN)
        key_file.write_text(READER_LINE)
        assert (await client.get(PRODUCTS, headers=bearing(READER))).status_code == 200

    revoked, warning, restored = [each for each in log_lines if "key" in each["event"]]
    assert (revoked["keys"], revoked["added"], revoked["removed"]) == (0, [], ["reader", "writer"])
    assert warning["log_level"] == "warning"
    assert (restored["keys"], restored["added"], restored["removed"]) == (1, ["reader"], [])


@pytest.mark.parametrize("content", ["", "# nobody\n"], ids=["empty", "comments"])
async def test_a_file_without_keys_lets_no_client_in_from_the_start(
    key_file: Path, content: str, log_lines: list[Any]
) -> None:
    key_file.write_text(content)
    async with client_of(create_app(settings_for("memory://", api_keys=key_file))) as client:
        problem_of(await client.get(PRODUCTS), KEY_MISSING)
        problem_of(await client.get(PRODUCTS, headers=bearing(READER)), KEY_UNKNOWN)
        assert (await client.get("/health/ready")).status_code == 200

    assert log_lines[0]["event"].startswith("all clients are rejected")


async def test_a_file_that_may_be_half_written_is_left_until_it_has_settled(
    key_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api_keys, "CHECK_FILE_SECONDS", 0)
    monkeypatch.setattr(api_keys, "SETTLE_SECONDS", 3600)
    async with client_of(create_app(settings_for("memory://", api_keys=key_file))) as client:
        key_file.write_text("")
        assert (await client.get(PRODUCTS, headers=bearing(READER))).status_code == 200
        os.utime(key_file, (0, 0))
        problem_of(await client.get(PRODUCTS, headers=bearing(READER)), KEY_UNKNOWN)


@pytest.mark.parametrize("seconds", [0, 3600], ids=["of the time before", "of the future"])
@pytest.mark.usefixtures("at_once")
async def test_a_change_is_seen_whatever_the_time_of_the_file(
    key_file: Path, seconds: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api_keys, "SETTLE_SECONDS", 0.2)
    before = time.time() - 10
    os.utime(key_file, (before, before))
    async with client_of(create_app(settings_for("memory://", api_keys=key_file))) as client:
        changed = key_file.read_text().replace(READER_LINE.split()[-1], "0" * 64)
        key_file.write_text(changed)
        os.utime(key_file, (before + seconds, before + seconds))
        problem_of(await client.get(PRODUCTS, headers=bearing(READER)), KEY_UNKNOWN)


def test_ten_thousand_keys_are_read_and_found_quickly(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    made = [new_key(f"client-{number}", "write") for number in range(10_000)]
    path.write_text("\n".join(line for _, line in made))
    token = made[-1][0].encode()

    started = time.process_time()
    keys = ApiKeys(path)
    for _ in range(1_000):
        assert keys.key_of(token)

    # Each key compared with each other takes 2 s, with each request 0.7 s.
    assert time.process_time() - started < 0.5


@pytest.mark.parametrize("path", [PRODUCTS, "/plain", "/async"])
async def test_the_log_line_and_the_route_know_the_client(
    key_file: Path, log_lines: list[Any], path: str
) -> None:
    app = create_app(settings_for("memory://", api_keys=key_file))

    @app.get("/plain")
    def plain(client: ClientName) -> str | None:
        return client

    @app.get("/async")
    async def asynchronous(client: ClientName) -> str | None:
        return client

    async with client_of(app) as client:
        response = await client.get(path, headers=bearing(READER))
        assert path == PRODUCTS or response.json() == "reader"
        await client.post(PRODUCTS, headers=bearing(READER), json={"name": "x"})
        await client.get(path)
        await client.get("/health/live", headers=bearing(READER))

    lines = [each for each in log_lines if each["event"] == "request"]
    assert [(each["status"], each.get("client")) for each in lines] == [
        (200, "reader"),
        (403, "reader"),
        (401, None),
        (200, None),
    ]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "cannot be read"),
        (f"{READER_LINE}\nhunter2\n", "line 2"),
        (READER_LINE.replace("read", "admin", 2), "line 1"),
        (f"{READER_LINE}\n{READER_LINE}", "more than one key of the name reader"),
        (f"{READER_LINE}\n{READER_LINE.replace('reader', 'other')}", "reader and other have"),
    ],
    ids=["missing", "a stray word", "an unknown scope", "a name twice", "a key twice"],
)
def test_a_file_that_cannot_be_used_is_rejected_at_the_start(
    command: Command, tmp_path: Path, content: str | None, reason: str
) -> None:
    path = tmp_path / "keys"
    if content is not None:
        path.write_text(content)
    status, _, errors = command(APP_API_KEYS=str(path), APP_DATABASE_URL="memory://")
    assert status == 2
    assert errors.startswith("APP_API_KEYS: ")
    assert errors.count("\n") == 1
    assert reason in errors
    assert "hunter2" not in errors


@pytest.mark.parametrize("scope", ["read", "write"])
def test_the_command_makes_a_key_and_its_line(command: Command, scope: str) -> None:
    status, line, errors = command("key", "someone", scope)
    assert status == 0
    (key,) = re.findall(r"^\S{43}$", errors, re.MULTILINE)
    (parsed,) = api_keys.parse(line).values()
    assert (parsed.name, parsed.scope) == ("someone", scope)
    assert key not in line


@pytest.mark.parametrize("arguments", [("two words", "read"), ("#", "read"), ("x", "all"), ("x",)])
def test_the_command_rejects_what_no_line_could_hold(
    command: Command, arguments: tuple[str, ...]
) -> None:
    assert command("key", *arguments)[0] == 2


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "", "shop.test"])
def test_an_address_that_others_reach_is_rejected_without_keys(command: Command, host: str) -> None:
    status, _, errors = command(APP_HOST=host, APP_DATABASE_URL="memory://")
    assert status == 2
    assert "APP_API_KEYS" in errors
    assert "APP_ALLOW_ANONYMOUS=true" in errors


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1", "localhost", "0.0.0.0"])
def test_an_address_of_this_machine_or_a_word_for_it_is_served(
    command: Command, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    hosts = []

    def serve_nothing(config: uvicorn.Config) -> int:
        hosts.append(config.host)
        return 0

    monkeypatch.setattr(entrypoints.kernel.command_line, "run", serve_nothing)
    anonymous = {"APP_ALLOW_ANONYMOUS": "true"} if host == "0.0.0.0" else {}
    assert command(APP_HOST=host, APP_DATABASE_URL="memory://", **anonymous)[0] == 0
    assert hosts == [host]


async def test_the_document_says_that_an_untagged_route_needs_a_key(key_file: Path) -> None:
    app = create_app(settings_for("memory://", api_keys=key_file, docs_enabled=True))

    @app.get("/untagged")
    async def untagged() -> dict[str, str]:
        return {}

    async with client_of(app) as client:
        response = await client.get("/openapi.json", headers=bearing(READER))

    assert response.status_code == 200
    (operation,) = response.json()["paths"]["/untagged"].values()
    assert operation["security"] == [{"key": []}]
