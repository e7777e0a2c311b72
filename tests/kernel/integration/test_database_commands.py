"""`python -m entrypoints db ...`, on both databases."""

import asyncio
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import make_url

from tests.kernel.database_settings import engine_for
from tests.kernel.integration.command_line import end_of, launch
from tests.kernel.integration.service import client_of, create, settings_for
from tests.kernel.processes.free_port import free_port
from tests.kernel.revisions import REVISIONS
from tests.kernel.warehouse.app import create_app
from tests.kernel.warehouse.storages import create_tables

Command = Callable[..., tuple[int, str, str]]
AT_HEAD = re.compile(r"database: (\S+), newest: \1")
BELOW_HEAD = re.compile(r"database: (?!empty)(\S+), newest: (?!\1)\S+")
AT_NONE = re.compile(r"database: empty, newest: \S+")


@pytest.fixture(params=["sqlite_file", "empty_postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(f"{request.param}_url"))


def assert_one_clear_line(status: int, output: str, errors: str) -> None:
    assert (status, output) == (1, "")
    assert len(errors.splitlines()) == 1
    assert "hunter2" not in errors


async def serve_and_create(url: str) -> None:
    engine = engine_for(url)
    await create_tables(engine)
    await engine.dispose()
    async with client_of(create_app(settings_for(url))) as client:
        assert (await client.get("/health/ready")).status_code == 200
        await create(client)


def test_up_and_down_and_up_again(command: Command, url: str) -> None:
    def db(*arguments: str) -> str:
        status, output, errors = command("db", *arguments, APP_DATABASE_URL=url)
        assert (status, errors) == (0, "")
        done[:], (line,) = output.splitlines()[:-1], output.splitlines()[-1:]
        return line

    done: list[str] = []
    assert AT_NONE.fullmatch(db("current"))
    assert AT_HEAD.fullmatch(db("upgrade"))
    ran = [line.removeprefix("ran ") for line in done]
    assert all(re.fullmatch(r"\d{8}_\d{4} \S.*", each) for each in ran)
    assert [line.split()[0] for line in ran] == REVISIONS
    assert AT_HEAD.fullmatch(db("upgrade"))
    assert done == ["nothing to do"]
    assert AT_HEAD.fullmatch(db("current"))
    assert done == []
    below = BELOW_HEAD if len(ran) > 1 else AT_NONE
    assert below.fullmatch(db("downgrade", "--yes"))
    assert done == [f"took back {ran[-1]}"]
    assert AT_NONE.fullmatch(db("downgrade", "base"))
    assert AT_NONE.fullmatch(db("current"))
    assert AT_HEAD.fullmatch(db("upgrade", "head"))
    asyncio.run(serve_and_create(url))
    assert AT_NONE.fullmatch(db("downgrade", "base"))


def test_three_upgrades_at_once_all_succeed(tmp_path: Path, url: str) -> None:
    processes = [launch(tmp_path, "db", "upgrade", APP_DATABASE_URL=url) for _ in range(3)]
    ends = [end_of(process) for process in processes]

    for status, output, errors in ends:
        assert (status, errors) == (0, "")
        assert AT_HEAD.fullmatch(output.splitlines()[-1])
    asyncio.run(serve_and_create(url))


def test_a_wrong_password_is_one_clear_line(tmp_path: Path, empty_postgresql_url: str) -> None:
    url = make_url(empty_postgresql_url).set(password="hunter2")
    process = launch(
        tmp_path, "db", "upgrade", APP_DATABASE_URL=url.render_as_string(hide_password=False)
    )
    status, output, errors = end_of(process)

    assert_one_clear_line(status, output, errors)
    assert errors.startswith("The database ")


@pytest.mark.parametrize("name", ["upgrade", "downgrade", "current"])
def test_a_server_that_is_down_is_one_clear_line(command: Command, name: str) -> None:
    url = f"postgresql+asyncpg://service:hunter2@127.0.0.1:{free_port()}/items"

    assert_one_clear_line(*command("db", name, APP_DATABASE_URL=url))


def test_a_database_that_does_not_exist_is_one_clear_line(
    command: Command, postgresql_server_url: str
) -> None:
    url = make_url(postgresql_server_url).set(database="none_such")

    assert_one_clear_line(
        *command("db", "upgrade", APP_DATABASE_URL=url.render_as_string(hide_password=False))
    )


@pytest.mark.parametrize("obstacle", ["directory", "garbage", "file_for_a_folder"])
def test_a_sqlite_file_that_cannot_be_used_is_one_clear_line(
    command: Command, tmp_path: Path, obstacle: str
) -> None:
    path = tmp_path / "items.db"
    match obstacle:
        case "directory":
            path.mkdir()
        case "garbage":
            path.write_bytes(b"no database" * 1_000)
        case "file_for_a_folder":
            path.write_text("no folder")
            path /= "items.db"

    assert_one_clear_line(*command("db", "upgrade", APP_DATABASE_URL=f"sqlite+aiosqlite:///{path}"))


@pytest.mark.parametrize(
    "arguments", [["upgrade", "nonsense"], ["downgrade", "nonsense"], ["downgrade"]]
)
def test_a_revision_that_does_not_exist_is_one_clear_line(
    command: Command, url: str, arguments: list[str]
) -> None:
    assert_one_clear_line(*command("db", *arguments, APP_DATABASE_URL=url))


def make_newer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
        connection.execute("INSERT INTO alembic_version VALUES ('99991231_2359')")


def test_an_upgrade_of_a_newer_database_does_nothing(
    command: Command, tmp_path: Path, sqlite_file_url: str
) -> None:
    """An older instance may start again during a deployment, with this command before it."""
    make_newer(tmp_path / "test.db")

    status, output, errors = command("db", "upgrade", APP_DATABASE_URL=sqlite_file_url)

    assert (status, output.splitlines()[0]) == (0, "nothing to do")
    assert "99991231_2359, which this version does not know" in errors


@pytest.mark.parametrize("arguments", [["downgrade", "--yes"], ["upgrade", REVISIONS[0]]])
def test_a_revision_cannot_be_chosen_in_a_newer_database(
    command: Command, tmp_path: Path, sqlite_file_url: str, arguments: list[str]
) -> None:
    make_newer(tmp_path / "test.db")

    assert_one_clear_line(*command("db", *arguments, APP_DATABASE_URL=sqlite_file_url))


def test_a_downgrade_that_names_no_revision_says_what_it_would_drop(
    command: Command, url: str
) -> None:
    command("db", "upgrade", APP_DATABASE_URL=url)

    status, output, errors = command("db", "downgrade", APP_DATABASE_URL=url)

    assert (status, output) == (2, "")
    (line,) = errors.splitlines()
    assert ", which drops the table " in line
    assert "--yes" in line
    _, output, _ = command("db", "current", APP_DATABASE_URL=url)
    assert AT_HEAD.fullmatch(output.strip())


def test_the_check_says_by_its_status_whether_the_schema_will_do(
    command: Command, tmp_path: Path, url: str
) -> None:
    status, output, errors = command("db", "current", "--check", APP_DATABASE_URL=url)
    assert status == 1
    assert AT_NONE.fullmatch(output.strip())
    assert "python -m entrypoints db upgrade" in errors

    command("db", "upgrade", APP_DATABASE_URL=url)
    status, output, errors = command("db", "current", "--check", APP_DATABASE_URL=url)
    assert (status, errors) == (0, "")

    newer = f"sqlite+aiosqlite:///{tmp_path}/newer.db"
    make_newer(tmp_path / "newer.db")
    assert command("db", "current", "--check", APP_DATABASE_URL=newer)[0] == 0
