"""Run tests in a copy of the project that lacks a guard."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.kernel.mutants.guards import ROOT, Guard

LIMIT_SECONDS = 180
_LEFT_OUT = shutil.ignore_patterns(
    *(".git", ".venv", "data", "htmlcov", "__pycache__", ".hypothesis", ".*_cache")
)
_FAILED = re.compile(r"^(?:FAILED|ERROR) (\S+)", re.MULTILINE)
# pytest's exit statuses, https://docs.pytest.org/en/stable/reference/exit-codes.html
_PASSED, _TESTS_FAILED = 0, 1


class Outcome(StrEnum):
    KILLED = "killed"
    SURVIVED = "survived"
    TIMED_OUT = "timed out"
    """The tests did not end, which a person would notice as well."""
    SKIPPED = "skipped"
    """Each of its tests was skipped: a program that they need is missing."""
    BROKEN = "broken"
    """The tests could not be collected, which says nothing about them."""


@dataclass(frozen=True, slots=True)
class Result:
    outcome: Outcome
    seconds: float
    killer: str = ""
    """The test that failed."""
    output: str = ""


class Copy:
    """A copy of the project, in which a guard can be removed."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def run(self, tests: Sequence[str], seconds: float = LIMIT_SECONDS) -> Result:
        """Run tests until the first one fails."""
        began = time.monotonic()
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-n0", "-p", "no:cacheprovider"]
        with subprocess.Popen(
            [*command, *tests],
            cwd=self._root,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        ) as process:
            try:
                output, _ = process.communicate(timeout=seconds)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                output, _ = process.communicate()
                return Result(Outcome.TIMED_OUT, time.monotonic() - began, output=output)
        failed = _FAILED.search(output)
        return Result(
            _outcome(process.returncode, output),
            time.monotonic() - began,
            failed[1] if failed else "",
            output,
        )

    @contextmanager
    def without(self, guard: Guard) -> Iterator[None]:
        """Remove a guard within the block. Raises `StaleGuard` if it cannot be found."""
        file = self._root / guard.file
        source = file.read_text(encoding="utf-8")
        file.write_text(guard.removed_from(source), encoding="utf-8")
        try:
            yield
        finally:
            file.write_text(source, encoding="utf-8")


@contextmanager
def copied_project() -> Iterator[Copy]:
    """Copy the project to a temporary directory: the working tree is never changed."""
    with TemporaryDirectory(prefix="mutants-") as directory:
        root = Path(directory, "project")
        shutil.copytree(ROOT, root, ignore=_LEFT_OUT)
        yield Copy(root)


def _outcome(status: int, output: str) -> Outcome:
    if status == _TESTS_FAILED:
        return Outcome.KILLED
    if status != _PASSED:
        return Outcome.BROKEN
    return Outcome.SURVIVED if " passed" in output else Outcome.SKIPPED
