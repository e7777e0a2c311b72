"""Ends what a test run has started, also when the run itself is killed and cannot."""

import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Self

from tests.kernel.processes.process_tree import descendants, is_running

ROOT = Path(__file__).resolve().parents[3]
PATIENCE_IN_SECONDS = 5.0


class Guardian:
    """A small process at the other end of a pipe, in a session of its own.

    The pipe closes when this process closes it or dies, however it dies. The guardian then ends
    the processes that it watches, removes the directory and ends too.

    PR_SET_PDEATHSIG would be shorter, but it means the death of the *thread* that started the
    child, and it leaves the directory.
    """

    def __init__(self, directory: Path | None = None) -> None:
        self._process = subprocess.Popen(
            # `-m` and the project's root: a script of its own could not import from here.
            [sys.executable, "-m", __name__, *([str(directory)] if directory else [])],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def watch(self, pid: int) -> None:
        self._tell(f"watch {pid}")

    def forget(self, pid: int) -> None:
        """Stop watching: the number may soon be another process's."""
        self._tell(f"forget {pid}")

    def close(self) -> None:
        if self._process.stdin:
            self._process.stdin.close()
        self._process.wait()

    def _tell(self, order: str) -> None:
        if self._process.stdin is None:  # pragma: no cover -- it is a pipe, see above
            raise AssertionError
        self._process.stdin.write(f"{order}\n".encode())
        self._process.stdin.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def guard(directories: list[Path]) -> None:
    watched: set[int] = set()
    for line in sys.stdin:
        order, pid = line.split()
        if order == "watch":
            watched.add(int(pid))
        else:
            watched.discard(int(pid))
    for pid in watched:
        end(pid)
    for directory in directories:
        shutil.rmtree(directory, ignore_errors=True)


def end(pid: int) -> None:
    """Ask first: a server that shuts down in order gives back its shared memory."""
    family = [pid, *descendants(pid)]
    for member in family:
        _send(member, signal.SIGCONT)
    _send(pid, signal.SIGINT)
    if not gone([pid], PATIENCE_IN_SECONDS):
        family = [*family, *descendants(pid)]
    for member in family:
        _send(member, signal.SIGKILL)
    gone(family, PATIENCE_IN_SECONDS)


def gone(pids: list[int], seconds: float) -> bool:
    """Wait until none of the processes runs. Return whether that was in time."""
    deadline = time.monotonic() + seconds
    while any(is_running(pid) for pid in pids):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.005)
    return True


def _send(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


if __name__ == "__main__":
    guard([Path(argument) for argument in sys.argv[1:]])
