"""The project's version, which stands in pyproject.toml alone: the project is not installed, and so
has no metadata that `importlib` could read."""

import tomllib
from functools import cache
from pathlib import Path

_PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"


@cache
def project_version() -> str:
    """Return `project.version` of pyproject.toml."""
    version: str = tomllib.loads(_PYPROJECT.read_text("utf-8"))["project"]["version"]
    return version
