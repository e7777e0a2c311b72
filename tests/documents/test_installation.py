"""`pip install .` says that this is an application, and what to do instead."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.kernel.processes.environment import ROOT


@pytest.mark.slow
def test_pip_says_that_there_is_nothing_to_install(tmp_path: Path) -> None:
    ended = subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--no-index",
            "--target",
            str(tmp_path),
            str(ROOT),
        ],
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode != 0
    assert "This is an application, not a package to install" in ended.stderr
    assert "`make run`" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_each_download_trusts_what_the_machine_trusts() -> None:
    """Behind a proxy that inspects, uv finds no index without it."""
    makefile = (ROOT / "Makefile").read_text("utf-8")
    commands = [line for line in makefile.splitlines() if "/uv pip " in line]

    assert len(commands) > 1
    assert all("--system-certs" in command for command in commands)
