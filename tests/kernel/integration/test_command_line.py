"""The command line lists its commands, and says in one line what is wrong."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.kernel.integration.command_line import end_of, launch

Command = Callable[..., tuple[int, str, str]]
WRONG = {"APP_DATABASE_URL": "postgresql+psycopg2://service:hunter2@db/items", "APP_PORT": "http"}


def assert_names_both_settings(status: int, output: str, errors: str) -> None:
    assert (status, output) == (2, "")
    url, port = errors.splitlines()
    assert url.startswith("APP_DATABASE_URL: ")
    assert "write postgresql+asyncpg://" in url
    assert port.startswith("APP_PORT: ")
    assert "hunter2" not in errors


def test_it_is_a_module_that_python_runs(tmp_path: Path) -> None:
    processes = [launch(tmp_path, "--help"), launch(tmp_path, **WRONG)]
    (status, output, errors), rejection = [end_of(process) for process in processes]

    assert (status, errors) == (0, "")
    assert output.startswith("usage: python -m tests.kernel.warehouse")
    assert_names_both_settings(*rejection)


def test_help_lists_the_commands(command: Command) -> None:
    status, output, errors = command("--help")

    assert (status, errors) == (0, "")
    for word in ("serve", "db", ".env.example"):
        assert word in output


def test_help_lists_the_database_commands(command: Command) -> None:
    status, output, errors = command("db", "--help")

    assert (status, errors) == (0, "")
    for word in ("upgrade", "downgrade", "current", "revision"):
        assert word in output


@pytest.mark.parametrize("arguments", [["nonsense"], ["db"], ["db", "nonsense"]])
def test_a_command_that_is_none_is_rejected(command: Command, arguments: list[str]) -> None:
    status, output, errors = command(*arguments)

    assert (status, output) == (2, "")
    assert errors.startswith("usage: ")


@pytest.mark.parametrize("arguments", [[], ["serve"], ["db", "upgrade"]])
def test_wrong_settings_are_named_one_a_line(command: Command, arguments: list[str]) -> None:
    assert_names_both_settings(*command(*arguments, **WRONG))


@pytest.mark.parametrize("name", ["upgrade", "downgrade", "current"])
def test_what_is_in_memory_has_no_schema(command: Command, name: str) -> None:
    status, output, errors = command("db", name, APP_DATABASE_URL="memory://")

    assert (status, output) == (2, "")
    assert errors == "APP_DATABASE_URL is memory://, which has no schema.\n"
