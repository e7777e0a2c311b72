"""`make contracts` rejects what it should, by name, and lets a route import SQLAlchemy."""

import fnmatch
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.documents.test_references import ROOT

PACKAGES = ("domain", "application", "adapters", "entrypoints")
PLAIN_ROUTE = """
from typing import Annotated

from fastapi import APIRouter, Depends
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from entrypoints.http.dependencies import get_async_session

router = APIRouter()


@router.get("/one")
async def one(session: Annotated[AsyncSession, Depends(get_async_session)]) -> int:
    return await session.scalar(text("SELECT 1")) or 0
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the product, with a plain route and a book."""
    for name in PACKAGES:
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, tmp_path / name, ignore=ignore)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "entrypoints" / "http" / "reports.py").write_text(PLAIN_ROUTE)
    (tmp_path / "domain" / "book.py").write_text('"""A book."""\n')
    return tmp_path


def contracts(tree: Path) -> tuple[int, str]:
    ended = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as l; l()"],
        cwd=tree,
        capture_output=True,
        text=True,
        check=False,
    )
    return ended.returncode, " ".join(ended.stdout.split())


def append(file: Path, line: str) -> None:
    file.write_text(f"{file.read_text('utf-8')}\n{line}\n")


def test_a_route_may_import_sqlalchemy(tree: Path) -> None:
    status, output = contracts(tree)

    assert status == 0, output
    assert "0 broken" in output


def test_a_kernel_that_imports_the_teams_code_and_a_circle_are_named(tree: Path) -> None:
    entrypoints = tree / "entrypoints"
    server = entrypoints / "kernel" / "server"
    append(entrypoints / "kernel" / "failures.py", "from entrypoints.settings import AppSettings")
    append(tree / "adapters" / "kernel" / "system_clock.py", "import domain.book")
    append(
        server / "config.py",
        "from typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    from entrypoints.kernel.server.server import DrainingServer",
    )

    status, output = contracts(tree)

    assert status == 1
    assert "entrypoints.kernel is not allowed to import entrypoints.settings" in output
    assert "adapters.kernel is not allowed to import domain.book" in output
    assert "No cycles are allowed in entrypoints.kernel.server." in output
    assert "entrypoints.http.reports" not in output


def test_the_contract_covers_every_kernel() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    (sources,) = [
        each["source_modules"]
        for each in declared["tool"]["importlinter"]["contracts"]
        if each["name"].startswith("The kernel imports nothing")
    ]
    kernels = [
        ".".join(folder.relative_to(ROOT).parts)
        for name in PACKAGES
        for folder in (ROOT / name).rglob("kernel")
    ]

    assert len(kernels) >= len(PACKAGES)
    for kernel in kernels:
        assert any(fnmatch.fnmatch(kernel, source) for source in sources), kernel
