"""`python -m entrypoints` as a user runs it: a process with nothing but its environment."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.kernel.processes.environment import environment_without_settings


def launch(directory: Path, *arguments: str, **settings: str) -> subprocess.Popen[str]:
    """Start the command in a directory, with the settings given (`APP_PORT="1"`)."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.kernel.warehouse", *arguments],
        cwd=directory,
        env=environment(settings),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def end_of(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Wait for the end, and return the exit status, the output and the errors."""
    output, errors = process.communicate(timeout=110)
    return process.returncode, output, errors


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    return {**environment_without_settings(), **settings}
