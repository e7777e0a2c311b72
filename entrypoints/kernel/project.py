"""The project's name and version in pyproject.toml. It is not installed, and so has no metadata
that `importlib` could read."""

import tomllib
from functools import cache
from pathlib import Path
from typing import NamedTuple

_PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"


class Project(NamedTuple):
    name: str
    version: str
    description: str


@cache
def project() -> Project:
    """Return the name, version and description under `[project]`."""
    table = tomllib.loads(_PYPROJECT.read_text("utf-8"))["project"]
    return Project(table["name"], table["version"], table["description"])
