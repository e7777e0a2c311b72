"""What the documents name is there."""

import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from entrypoints.settings import AppSettings

ROOT = Path(__file__).parents[2]
MADE_LATER = (".venv/",)
# What a reader of a page makes, above a block that shows it.
SHOWN = re.compile(r"^`([\w./]+)`\n\n```python$", re.MULTILINE)

REMOVAL = re.compile(r"^git rm (?:-r )?(.*?)^```$", re.MULTILINE | re.DOTALL)

LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]*)(?:#([^)\s]*))?\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
# A path has a slash, though not at its start, as an address of the service has.
PATH_IN_BACKTICKS = re.compile(r"`([\w.*-][\w./*-]*/[\w./*-]*)`")
MAKE_TARGET = re.compile(r"`make ([a-z-]+)")
TARGET = re.compile(r"^([a-z-]+):", re.MULTILINE)
IMPORTABLE = re.compile(r"\b((?:entrypoints|adapters|application|domain)(?:\.\w+)+):(\w+)")
SETTING = re.compile(r"\bAPP_(?!TEST_)([A-Z_]+)\b")


def documents() -> list[Path]:
    patterns = ("*.md", "[!.]*/**/*.md")
    return sorted(each for pattern in patterns for each in ROOT.glob(pattern))


@pytest.fixture(params=documents(), ids=lambda document: document.name)
def document(request: pytest.FixtureRequest) -> Path:
    found: Path = request.param
    return found


def test_its_links_lead_somewhere(document: Path) -> None:
    broken = [
        f"{target}#{anchor}"
        for target, anchor in LINK.findall(document.read_text("utf-8"))
        if "://" not in target and not _leads_somewhere(document, target, anchor)
    ]

    assert not broken


def test_the_files_that_it_names_are_there(document: Path) -> None:
    page = document.read_text("utf-8")
    made_later = (*MADE_LATER, *SHOWN.findall(page))
    missing = [
        path
        for path in PATH_IN_BACKTICKS.findall(page)
        if not path.startswith((*made_later, *_removed())) and not any(ROOT.glob(path))
    ]

    assert not missing


def test_the_names_that_it_imports_exist(document: Path) -> None:
    for module, name in IMPORTABLE.findall(document.read_text("utf-8")):
        assert hasattr(importlib.import_module(module), name)


def test_its_make_targets_exist(document: Path) -> None:
    targets = set(TARGET.findall((ROOT / "Makefile").read_text("utf-8")))

    assert set(MAKE_TARGET.findall(document.read_text("utf-8"))) <= targets


def test_its_settings_exist(document: Path) -> None:
    settings = {name.upper() for name in AppSettings.model_fields}

    assert set(SETTING.findall(document.read_text("utf-8"))) <= settings


def _removed() -> list[str]:
    """Return what a team was shown how to remove, and has removed: pages may still show it."""
    return [
        path
        for page in ROOT.glob("docs/your-own-domain.md")
        for paths in REMOVAL.findall(page.read_text("utf-8"))
        for path in paths.replace("\\", " ").split()
        if not (ROOT / path).exists()
    ]


def _leads_somewhere(document: Path, target: str, anchor: str) -> bool:
    file = document.parent / target if target else document
    return file.exists() and (not anchor or anchor in _anchors(file))


def _anchors(file: Path) -> Iterator[str]:
    """Yield the anchors of a document's headings, as Git hosts make them."""
    for heading in HEADING.findall(file.read_text("utf-8")):
        yield re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
