"""The project as pyproject.toml describes it. It is not installed, and so has no metadata that
`importlib` could read."""

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
    """Return what stands under `[project]`."""
    table = tomllib.loads(_PYPROJECT.read_text("utf-8"))["project"]
    return Project(table["name"], table["version"], table["description"])
