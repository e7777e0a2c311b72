"""The books that docs/your-own-domain.md shows take the place of the example.

All but the whole `make check` is tried in that tree; to try that too, see `without_example.py`.
"""

import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.example_items.documents.without_example import (
    FILE,
    PAGE,
    VERSIONS,
    run,
    tree_without_example,
)
from tests.kernel.processes.environment import ROOT

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (shutil.which("git") and (ROOT / ".git").exists()),
        reason="Git says which files are the project's",
    ),
]
SNIPPET = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
USE = """
import asyncio, httpx
from entrypoints.http.app import create_app
from entrypoints.settings import AppSettings

async def main():
    app = create_app(AppSettings(_env_file=None, database_url="sqlite+aiosqlite://"))
    transport = httpx.ASGITransport(app)
    async with app.router.lifespan_context(app), httpx.AsyncClient(
        transport=transport, base_url="http://test/api/v1/books"
    ) as client:
        created = await client.post("", json={"title": "Emma"})
        lend = created.json()["id"] + "/lend"
        key = {"Idempotency-Key": "1", "If-Match": '"1"'}
        lent = await client.post(lend, headers=key)
        retried = await client.post(lend, headers=key)
        again = await client.post(lend)
        listed = await client.get("")
        wrong = await client.post("", json={"title": " "})
    assert created.status_code == 201, created.text
    assert lent.json()["is_lent"] and retried.content == lent.content
    assert (again.status_code, again.json()["type"]) == (409, "urn:problem:is-lent")
    assert listed.json() == [lent.json()]
    assert wrong.json()["errors"][0]["pointer"] == "#/title"

asyncio.run(main())
"""
# What the snippets without a file's name need.
IMPORTS = """
from sqlalchemy import bindparam, select
from adapters.memory.kernel.journal import State
from adapters.memory.kernel.repository import MemoryRepository
from adapters.sql.books.repository import ROWS
from adapters.sql.books.table import books
from adapters.sql.kernel.versioned_rows import SqlReader, SqlRepository, VersionedRows
from application.kernel.errors import DataConflict
from domain.book import Book
"""
# Quick ones that read what the team has: its folders, migrations and documents.
TESTS = (
    "tests/books",
    "tests/documents",
    "tests/kernel/migrations/test_models_and_migrations_agree.py",
    "tests/kernel/migrations/test_new_migrations.py",
    "tests/test_registrations.py",
)
# Not remade: the packages are those of this run.
MAKE = ("make", "-o", ".venv/.installed-dev", "-o", ".venv/.installed-bench")


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    tree = tmp_path_factory.mktemp("without_example")
    tree_without_example(tree)
    yield tree
    shutil.rmtree(tree)


def test_the_books_are_served_as_the_page_says(tree: Path) -> None:
    shown = {content for _, content in FILE.findall(PAGE)}
    extras = [each for each in SNIPPET.findall(PAGE) if each not in shown]

    run(tree, sys.executable, "-c", USE)
    run(tree, sys.executable, "-c", "\n".join([IMPORTS, *extras]))


@pytest.mark.parametrize("target", ["lint", "types", "contracts"])
def test_the_checks_pass_without_the_example(tree: Path, target: str) -> None:
    if target == "types" and (ROOT / ".mypy_cache").is_dir():
        shutil.copytree(ROOT / ".mypy_cache", tree / ".mypy_cache", dirs_exist_ok=True)

    run(tree, *MAKE, target)


def test_every_test_can_be_collected(tree: Path) -> None:
    run(tree, sys.executable, "-m", "pytest", "-n0", "-q", "--collect-only")


@pytest.mark.parametrize("tests", TESTS)
def test_tests_pass_without_the_example(tree: Path, tests: str) -> None:
    run(tree, sys.executable, "-m", "pytest", "-n0", "-q", "-m", "not slow", tests)


def test_the_next_migration_drops_the_table_if_the_first_is_left(tmp_path: Path) -> None:
    tree_without_example(tmp_path, with_its_migration=True)

    newest = max((tmp_path / VERSIONS).glob("*.py"))
    assert 'op.drop_table("example_items")' in newest.read_text("utf-8")
