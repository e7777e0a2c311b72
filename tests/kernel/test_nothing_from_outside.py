"""The tests read nothing of a developer's: no `.env`, no exported setting."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.kernel.processes.environment import ROOT

# Each would make any test fail that reads it.
SETTINGS = {
    "APP_DATABASE_URL": "sqlite+aiosqlite:///./developers.db",
    "APP_DATABASE_POOL_SIZE": "none",
    "APP_API_KEYS": "there/are/none",
    "APP_PORT": "1",
}
# One of each way in which a test comes to the settings: an app, a command, a process.
TESTS = (
    "tests/kernel/integration/test_health.py",
    "tests/kernel/integration/test_command_line.py",
    "tests/kernel/faults/test_secrets.py",
)


@pytest.mark.slow
def test_a_developers_settings_change_no_test(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    ignore = shutil.ignore_patterns(".*", "data", "__pycache__", "htmlcov")
    shutil.copytree(ROOT, tree, ignore=ignore)
    shutil.copy(ROOT / ".env.example", tree)
    (tree / ".env").write_text("".join(f"{name}={value}\n" for name, value in SETTINGS.items()))
    before = {path.name for path in tree.iterdir()}

    ended = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-n0",
            "-p",
            "no:cacheprovider",
            "-k",
            "not postgresql",
            *TESTS,
        ],
        cwd=tree,
        env={**os.environ, **SETTINGS},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 0, ended.stdout[-5000:] + ended.stderr[-2000:]
    left = {path.name for path in tree.iterdir()} - before - {".hypothesis", ".pytest_cache"}
    assert not left
