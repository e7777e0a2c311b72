"""The command line tells what it can do, and what is wrong, in plain words."""

from pathlib import Path

import pytest

from tests.integration.command_line import run


def test_help_lists_the_commands(tmp_path: Path) -> None:
    ended = run(tmp_path, "--help")

    assert (ended.returncode, ended.stderr) == (0, "")
    for word in ("serve", "db", ".env.example"):
        assert word in ended.stdout


def test_help_lists_the_database_commands(tmp_path: Path) -> None:
    ended = run(tmp_path, "db", "--help")

    assert (ended.returncode, ended.stderr) == (0, "")
    for word in ("upgrade", "downgrade", "current", "revision"):
        assert word in ended.stdout


@pytest.mark.parametrize("arguments", [["nonsense"], ["db"], ["db", "nonsense"]])
def test_a_command_that_is_none_is_refused(tmp_path: Path, arguments: list[str]) -> None:
    ended = run(tmp_path, *arguments)

    assert ended.returncode == 2
    assert "usage:" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("arguments", [[], ["db", "upgrade"]], ids=["serve", "db upgrade"])
def test_wrong_settings_are_named_one_a_line(tmp_path: Path, arguments: list[str]) -> None:
    ended = run(
        tmp_path,
        *arguments,
        APP_DATABASE_URL="postgresql://service:hunter2@db/items",
        APP_PORT="http",
    )

    assert (ended.returncode, ended.stdout) == (2, "")
    url, port = ended.stderr.splitlines()
    assert url.startswith("APP_DATABASE_URL: ")
    assert "write postgresql+asyncpg:// instead of postgresql://" in url
    assert port.startswith("APP_PORT: ")
    assert "hunter2" not in ended.stderr


def test_what_is_in_memory_has_no_schema(tmp_path: Path) -> None:
    ended = run(tmp_path, "db", "upgrade", APP_DATABASE_URL="memory://")

    assert ended.returncode == 2
    assert ended.stderr == "APP_DATABASE_URL is memory://, which has no schema.\n"
