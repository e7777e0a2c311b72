"""The files that docs/your-own-domain.md shows make a service."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.documents.test_references import ROOT

PAGE = (ROOT / "docs" / "your-own-domain.md").read_text("utf-8")
SNIPPET = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"^`([\w/.]+)`\n\n```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
REMOVAL = re.compile(r"^git rm -r (.*?)^```$", re.MULTILINE | re.DOTALL)
COPIED = ("domain", "application", "adapters", "entrypoints", "tests")
REGISTRATIONS = (
    "application/unit_of_work.py",
    "adapters/memory/unit_of_work.py",
    "adapters/sql/unit_of_work.py",
    "entrypoints/container.py",
    "entrypoints/http/routers.py",
)
NAMES = {
    "adapters.memory.example_items": "adapters.memory.books",
    "adapters.sql.example_items": "adapters.sql.books",
    "application.example_items": "application.books",
    "entrypoints.http.example_items": "entrypoints.http.books",
    "example_items": "books",
    "example_item_service": "book_service",
    "ExampleItems": "Books",
    "ExampleItem": "Book",
}
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


@pytest.mark.slow
def test_the_books_of_the_page_take_the_place_of_the_example(tmp_path: Path) -> None:
    for name in COPIED:
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    _remove_the_example(tmp_path)
    for path, content in FILE.findall(PAGE):
        file = tmp_path / path
        file.parent.mkdir(exist_ok=True)
        file.write_text(content, "utf-8")
        if not path.startswith("tests"):
            (file.parent / "__init__.py").touch()
    for path in REGISTRATIONS:
        _replace_names(tmp_path / path)

    _run(tmp_path, "-m", "entrypoints", "db", "revision", "create books")
    _run(tmp_path, "-c", USE)
    _run(tmp_path, "-m", "pytest", "-n0", "-q", "tests/books")
    shown = {content for _, content in FILE.findall(PAGE)}
    extras = [each for each in SNIPPET.findall(PAGE) if each not in shown]
    _run(tmp_path, "-c", "\n".join([IMPORTS, *extras]))


def _remove_the_example(root: Path) -> None:
    removal = REMOVAL.search(PAGE)
    assert removal
    for name in removal[1].replace("\\", " ").split():
        path = root / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def _replace_names(file: Path) -> None:
    text = file.read_text("utf-8")
    for example, own in NAMES.items():
        text = text.replace(example, own)
    file.write_text(text, "utf-8")


def _run(root: Path, *arguments: str) -> None:
    ended = subprocess.run(
        [sys.executable, *arguments], cwd=root, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
