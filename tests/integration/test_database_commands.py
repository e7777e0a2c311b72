"""`python -m entrypoints db ...`, on both databases."""

import re
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import make_url

from entrypoints.http.app import create_app
from tests.integration.command_line import launch, run
from tests.integration.service import client_of, create, settings_for
from tests.processes.free_port import free_port

AT_HEAD = re.compile(r"database: (\S+), newest: \1\n")
AT_NONE = re.compile(r"database: empty, newest: \S+\n")


@pytest.fixture(params=["sqlite_file", "empty_postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(f"{request.param}_url"))


def assert_one_clear_line(ended: subprocess.CompletedProcess[str]) -> None:
    assert (ended.returncode, ended.stdout) == (1, "")
    assert len(ended.stderr.splitlines()) == 1
    assert "hunter2" not in ended.stderr


async def test_up_and_down_and_up_again(tmp_path: Path, url: str) -> None:
    def db(*arguments: str) -> str:
        ended = run(tmp_path, "db", *arguments, APP_DATABASE_URL=url)
        assert (ended.returncode, ended.stderr) == (0, "")
        return ended.stdout

    assert AT_NONE.fullmatch(db("current"))
    assert AT_HEAD.fullmatch(db("upgrade"))
    assert AT_HEAD.fullmatch(db("current"))
    assert AT_NONE.fullmatch(db("downgrade"))
    assert AT_NONE.fullmatch(db("current"))
    assert AT_HEAD.fullmatch(db("upgrade", "head"))
    async with client_of(create_app(settings_for(url))) as client:
        assert (await client.get("/health/ready")).status_code == 200
        await create(client)


def test_three_upgrades_at_once_all_succeed(tmp_path: Path, url: str) -> None:
    processes = [launch(tmp_path, "db", "upgrade", APP_DATABASE_URL=url) for _ in range(3)]
    ends = [(*process.communicate(timeout=60), process.returncode) for process in processes]

    for output, errors, status in ends:
        assert (status, errors) == (0, "")
        assert AT_HEAD.fullmatch(output)


def test_a_wrong_password_is_one_clear_line(tmp_path: Path, empty_postgresql_url: str) -> None:
    wrong = make_url(empty_postgresql_url).set(password="hunter2")
    ended = run(
        tmp_path,
        "db",
        "upgrade",
        APP_DATABASE_URL=wrong.render_as_string(hide_password=False),
    )

    assert_one_clear_line(ended)
    assert ended.stderr.startswith("The database cannot be used: ")


def test_a_server_that_is_down_is_one_clear_line(tmp_path: Path) -> None:
    url = f"postgresql+asyncpg://service:hunter2@127.0.0.1:{free_port()}/items"

    assert_one_clear_line(run(tmp_path, "db", "current", APP_DATABASE_URL=url))


def test_a_database_that_does_not_exist_is_one_clear_line(
    tmp_path: Path, empty_postgresql_url: str
) -> None:
    url = make_url(empty_postgresql_url).set(database="none_such")
    ended = run(
        tmp_path, "db", "upgrade", APP_DATABASE_URL=url.render_as_string(hide_password=False)
    )

    assert_one_clear_line(ended)


@pytest.mark.parametrize("obstacle", ["directory", "garbage", "file_for_a_folder"])
def test_a_sqlite_file_that_cannot_be_used_is_one_clear_line(tmp_path: Path, obstacle: str) -> None:
    path = tmp_path / "items.db"
    match obstacle:
        case "directory":
            path.mkdir()
        case "garbage":
            path.write_bytes(b"no database" * 1_000)
        case "file_for_a_folder":
            path.write_text("no folder")
            path /= "items.db"

    assert_one_clear_line(
        run(tmp_path, "db", "upgrade", APP_DATABASE_URL=f"sqlite+aiosqlite:///{path}")
    )


@pytest.mark.parametrize(
    "arguments", [["upgrade", "nonsense"], ["downgrade", "nonsense"], ["downgrade"]]
)
def test_a_revision_that_does_not_exist_is_one_clear_line(
    tmp_path: Path, sqlite_file_url: str, arguments: list[str]
) -> None:
    assert_one_clear_line(run(tmp_path, "db", *arguments, APP_DATABASE_URL=sqlite_file_url))


def test_a_database_of_a_newer_version_is_one_clear_line(
    tmp_path: Path, sqlite_file_url: str
) -> None:
    with closing(sqlite3.connect(tmp_path / "test.db")) as connection, connection:
        connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
        connection.execute("INSERT INTO alembic_version VALUES ('99991231_2359')")

    assert_one_clear_line(run(tmp_path, "db", "upgrade", APP_DATABASE_URL=sqlite_file_url))
