"""The undocumented parts of the drivers that the project uses: if a new version changes one, a test
here names it before a service fails."""

import inspect
import tomllib
from pathlib import Path
from typing import Any

import aiosqlite
import asyncpg
import pytest
from packaging.requirements import Requirement

from tests.kernel.processes.environment import ROOT

BOUNDED = {
    "aiosqlite",
    "alembic",
    "asyncpg",
    "fastapi",
    "httptools",
    "sqlalchemy",
    "starlette",
    "uvicorn",
}


def requirements() -> dict[str, Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    found = [Requirement(each) for each in project["dependencies"]]
    return {each.name: each for each in found}


@pytest.mark.parametrize("name", sorted(BOUNDED))
def test_what_is_used_undocumented_is_bounded_to_the_version_it_was_tried_with(name: str) -> None:
    operators = {each.operator for each in requirements()[name].specifier}
    assert "<" in operators, f"{name} has no upper bound in pyproject.toml"


async def test_aiosqlite_still_runs_functions_on_the_thread_of_a_connection(
    tmp_path: Path,
) -> None:
    """`adapters/sql/kernel/sqlite/aiosqlite_thread.py` runs batches of statements on it, and ends
    it."""
    connection: Any = aiosqlite.connect(tmp_path / "a.db")
    assert connection._thread.daemon in {True, False}, "Connection._thread is no thread"
    async with connection:
        assert list(inspect.signature(connection._execute).parameters) == ["fn", "args", "kwargs"]
        changes = await connection._execute(lambda bare: bare.total_changes, connection._conn)
        assert changes == 0, "Connection._execute does not run a function on Connection._conn"


async def test_asyncpg_still_has_the_transport_of_a_connection(postgresql_url: str) -> None:
    """`adapters/sql/kernel/postgresql/tcp_keepalive.py` sets the socket's options by it."""
    connection: Any = await asyncpg.connect(postgresql_url.replace("+asyncpg", ""))
    try:
        transport = connection._transport
        assert transport.get_extra_info("socket") is not None, "Connection._transport has no socket"
    finally:
        await connection.close()
