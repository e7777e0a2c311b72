"""The environment of a process that runs the project's code."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def environment_without_settings() -> dict[str, str]:
    """Return this process's environment without the service's settings (`APP_...`), in which
    Python finds the project from any directory, and so from one that has no `.env`."""
    others = {name: value for name, value in os.environ.items() if not name.startswith("APP_")}
    path = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**others, "PYTHONPATH": os.pathsep.join(path)}
