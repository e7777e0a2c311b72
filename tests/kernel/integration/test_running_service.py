"""The service as its users run it: a process, its signals, its log and its file."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx

from tests.kernel.integration.command_line import environment
from tests.kernel.integration.service import PRODUCTS, create
from tests.kernel.processes.free_port import free_port
from tests.kernel.processes.service_process import ServiceProcess

SECRET = "hunter2"


def service(directory: Path, **settings: str) -> ServiceProcess:
    return ServiceProcess(settings, cwd=directory)


def client_of(process: ServiceProcess) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=process.base_url, trust_env=False)


def objects(process: ServiceProcess) -> list[dict[str, Any]]:
    """The log, every line of which must be a JSON object."""
    lines = process.log_lines()
    assert not [line for line in lines if isinstance(line, str)]
    return [line for line in lines if isinstance(line, dict)]


async def test_items_survive_a_restart(tmp_path: Path) -> None:
    async with service(tmp_path) as first, client_of(first) as client:
        item = await create(client)
        assert (await client.get("/health/ready")).status_code == 200
        first.terminate()
        assert await first.wait() == 0

    assert (tmp_path / "app.db").is_file()
    async with service(tmp_path) as second, client_of(second) as client:
        assert (await client.get(PRODUCTS)).json() == [item]


async def test_items_survive_a_crash(tmp_path: Path) -> None:
    async with service(tmp_path) as first, client_of(first) as client:
        item = await create(client)
        first.kill()
        await first.wait()

    async with service(tmp_path) as second, client_of(second) as client:
        assert (await client.get(PRODUCTS)).json() == [item]


async def test_the_log_is_json_with_one_line_per_request(tmp_path: Path) -> None:
    async with service(tmp_path, APP_DATABASE_ECHO="true") as process, client_of(process) as client:
        await client.post(
            PRODUCTS,
            json={"name": SECRET},
            headers={"X-Request-ID": "mine", "Authorization": f"Bearer {SECRET}"},
        )
        process.terminate()
        await process.wait()

    lines = objects(process)
    (line,) = [each for each in lines if each.get("request_id") == "mine" and "route" in each]
    assert line.keys() == {
        "event",
        "level",
        "timestamp",
        "method",
        "route",
        "status",
        "duration_ms",
        "request_id",
    }
    assert (line["method"], line["route"], line["status"]) == ("POST", f"{PRODUCTS}/", 201)
    assert any("INSERT INTO products" in str(each["event"]) for each in lines)
    assert SECRET not in process.log


async def test_no_password_is_in_the_log_when_the_database_is_down(tmp_path: Path) -> None:
    url = f"postgresql+asyncpg://service:{SECRET}@127.0.0.1:{free_port()}/items"
    async with (
        service(tmp_path, APP_DATABASE_URL=url, APP_DATABASE_ECHO="true") as process,
        client_of(process) as client,
    ):
        assert (await client.get("/health/ready")).status_code == 503
        response = await client.post(PRODUCTS, json={"name": SECRET})
        assert response.status_code == 503

    objects(process)
    assert SECRET not in process.log + response.text


async def test_two_workers_start_at_once_on_a_new_file(tmp_path: Path) -> None:
    async with service(tmp_path, APP_WORKERS="2") as process:
        # Each has a connection of its own, so that both workers get some of them.
        async with httpx.AsyncClient(
            base_url=process.base_url,
            trust_env=False,
            limits=httpx.Limits(max_keepalive_connections=0),
        ) as client:
            created = await asyncio.gather(*(create(client, f"item {n}") for n in range(40)))
            listed = (await client.get(PRODUCTS, params={"limit": 200})).json()
            assert {item["id"] for item in listed} == {item["id"] for item in created}
            assert (await client.get("/health/ready")).status_code == 200
        process.terminate()
        assert await process.wait() == 0

    assert not [line for line in objects(process) if line.get("level") in {"error", "critical"}]


def test_the_log_of_a_failure_has_a_traceback_without_the_values(tmp_path: Path) -> None:
    program = """
import asyncio, httpx
from tests.kernel.warehouse.app import create_app
from entrypoints.kernel.logging import configure_logging
from entrypoints.settings import AppSettings

class Broken:
    def for_writing(self):
        local = "hunter" + str(2)
        raise RuntimeError("broken")

async def main():
    app = create_app(AppSettings(database_url="memory://"), units_of_work=Broken())
    transport = httpx.ASGITransport(app)
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport) as client:
        await client.post("http://test/api/v1/products", json={"name": "hunter2"})

configure_logging()
asyncio.run(main())
"""
    ended = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env=environment({}),
        capture_output=True,
        text=True,
        check=True,
    )

    failure, request = [
        line
        for line in map(json.loads, ended.stdout.splitlines())
        if line["event"] in {"unhandled error", "request"}
    ]
    assert (failure["event"], failure["level"]) == ("unhandled error", "error")
    assert failure["request_id"] == request["request_id"]
    assert failure["exception"][0]["exc_type"] == "RuntimeError"
    assert (request["status"], request["route"]) == (500, f"{PRODUCTS}/")
    assert SECRET not in ended.stdout + ended.stderr
