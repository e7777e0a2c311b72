"""A start says in one line what is served, or why it cannot be."""

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.kernel.integration.command_line import end_of, environment, launch
from tests.kernel.processes.free_port import free_port
from tests.kernel.processes.service_process import ServiceProcess

POSTGRESQL = "postgresql+asyncpg://service:hunter2@127.0.0.1"
Command = Callable[..., tuple[int, str, str]]
Obstacle = Callable[[Path], dict[str, str]]


def sqlite(path: Path) -> dict[str, str]:
    return {"APP_DATABASE_URL": f"sqlite+aiosqlite:///{path}"}


def a_directory(folder: Path) -> dict[str, str]:
    (folder / "items.db").mkdir()
    return sqlite(folder / "items.db")


def no_database(folder: Path) -> dict[str, str]:
    (folder / "items.db").write_bytes(b"no database" * 1_000)
    return sqlite(folder / "items.db")


def a_file_for_a_folder(folder: Path) -> dict[str, str]:
    (folder / "data").write_text("no folder")
    return sqlite(folder / "data" / "items.db")


def a_folder_without_rights(folder: Path) -> dict[str, str]:
    folder.chmod(0o555)
    return {}


def a_file_without_rights(folder: Path) -> dict[str, str]:
    (folder / "items.db").touch(0o000)
    return sqlite(folder / "items.db")


def settings_in_utf16(folder: Path) -> dict[str, str]:
    (folder / ".env").write_text("APP_PORT=1", "utf-16")
    return {}


def settings_without_rights(folder: Path) -> dict[str, str]:
    (folder / ".env").touch(0o000)
    return {}


def a_setting_of_another_type(_folder: Path) -> dict[str, str]:
    return {"APP_PORT": "http"}


def an_address_that_is_none(_folder: Path) -> dict[str, str]:
    return {"APP_DATABASE_URL": "hunter2"}


def workers_on_a_memory(_folder: Path) -> dict[str, str]:
    return {"APP_DATABASE_URL": "memory://", "APP_WORKERS": "2"}


def no_keys(folder: Path) -> dict[str, str]:
    return {"APP_API_KEYS": str(folder / "keys")}


def keys_that_are_none(folder: Path) -> dict[str, str]:
    (folder / "keys").write_text("hunter2")
    return {"APP_API_KEYS": str(folder / "keys")}


def a_server_that_is_down(_folder: Path) -> dict[str, str]:
    return {"APP_DATABASE_URL": f"{POSTGRESQL}:{free_port()}/items"}


OF_THE_SETTINGS: list[Obstacle] = [
    settings_in_utf16,
    a_setting_of_another_type,
    an_address_that_is_none,
    workers_on_a_memory,
]
OF_THE_DATABASE: list[Obstacle] = [a_directory, no_database, a_file_for_a_folder]
OF_RIGHTS: list[Obstacle] = [
    a_folder_without_rights,
    a_file_without_rights,
    settings_without_rights,
]


def end_without_rights(folder: Path, *arguments: str, **settings: str) -> tuple[int, str, str]:
    """Run the command as an unprivileged user: root can read and write every file."""
    prefix = []
    if os.geteuid() == 0:
        if not (setpriv := shutil.which("setpriv")):
            pytest.skip("root is stopped by no rights, and there is no setpriv to give them up")
        prefix = [setpriv, "--bounding-set", "-dac_override,-dac_read_search", "--"]
    ended = subprocess.run(
        [*prefix, sys.executable, "-m", "tests.kernel.warehouse", *arguments],
        cwd=folder,
        env=environment(settings),
        capture_output=True,
        text=True,
        check=False,
    )
    return ended.returncode, ended.stdout, ended.stderr


def assert_one_line(text: str) -> None:
    assert len(text.splitlines()) == 1, text
    assert "hunter2" not in text
    assert "Traceback" not in text


def assert_no_start(status: int, output: str, errors: str) -> None:
    assert status not in {0, 1}
    assert errors == ""
    lines = [json.loads(line) for line in output.splitlines()]
    reason, end = [line["event"] for line in lines if line["level"] == "error"]
    assert reason.startswith("the service cannot start: the database ")
    assert end == "Application startup failed. Exiting."
    assert "Traceback" not in output


@pytest.mark.parametrize("obstacle", [*OF_THE_SETTINGS, *OF_THE_DATABASE, a_server_that_is_down])
@pytest.mark.parametrize("name", ["upgrade", "downgrade", "current"])
def test_a_database_command_that_fails_is_one_line(
    command: Command, tmp_path: Path, obstacle: Obstacle, name: str
) -> None:
    status, output, errors = command("db", name, **obstacle(tmp_path))

    assert (status, output) == (2 if obstacle in OF_THE_SETTINGS else 1, "")
    assert_one_line(errors)


@pytest.mark.parametrize("obstacle", OF_RIGHTS)
def test_a_database_command_without_rights_is_one_line(tmp_path: Path, obstacle: Obstacle) -> None:
    status, output, errors = end_without_rights(tmp_path, "db", "upgrade", **obstacle(tmp_path))

    assert (status, output) == (2 if obstacle is settings_without_rights else 1, "")
    assert_one_line(errors)


@pytest.mark.parametrize("obstacle", [*OF_THE_SETTINGS, no_keys, keys_that_are_none])
def test_a_start_that_the_settings_prevent_is_one_line(
    command: Command, tmp_path: Path, obstacle: Obstacle
) -> None:
    status, output, errors = command(**obstacle(tmp_path))

    assert (status, output) == (2, "")
    assert_one_line(errors)


@pytest.mark.parametrize("obstacle", OF_THE_DATABASE)
def test_a_start_that_the_database_prevents_is_one_line(tmp_path: Path, obstacle: Obstacle) -> None:
    assert_no_start(*end_of(launch(tmp_path, **obstacle(tmp_path))))


def test_a_start_without_rights_is_one_line(tmp_path: Path) -> None:
    assert_no_start(*end_without_rights(tmp_path, **a_folder_without_rights(tmp_path)))


def test_a_port_in_use_is_one_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        status, output, errors = end_of(
            launch(tmp_path, APP_PORT=str(port), APP_DATABASE_URL="memory://")
        )

    assert status not in {0, 1}
    assert errors == ""
    (line,) = [each for each in map(json.loads, output.splitlines()) if each["level"] == "error"]
    assert "address already in use" in line["event"].lower()


async def test_a_start_says_what_is_served(tmp_path: Path) -> None:
    async with ServiceProcess({"APP_DATABSE_URL": "hunter2"}, cwd=tmp_path) as service:
        pass

    lines: list[Any] = service.log_lines()
    (started,) = [line for line in lines if line["event"] == "service started"]
    assert started["database"] == "./app.db"
    assert (started["host"], started["port"]) == (service.host, service.port)
    assert (started["version"], started["workers"]) == ("0.1.0", 1)
    (unknown,) = [line for line in lines if line["event"] == "unknown setting"]
    assert "did you mean APP_DATABASE_URL?" in unknown["reason"]
    assert "hunter2" not in service.log


async def test_a_database_that_was_never_migrated_names_the_command(
    tmp_path: Path, empty_postgresql_url: str
) -> None:
    settings = {"APP_DATABASE_URL": empty_postgresql_url}
    async with (
        ServiceProcess(settings, cwd=tmp_path) as service,
        httpx.AsyncClient(base_url=service.base_url, trust_env=False) as client,
    ):
        response = await client.get("/health/ready")

    assert response.status_code == 503
    assert "python -m entrypoints db upgrade" in response.json()["detail"]
    lines: list[Any] = service.log_lines()
    (line,) = [each for each in lines if each["event"] == "not ready"]
    assert "run `python -m entrypoints db upgrade`" in line["reason"]
