"""Processes and their children, as Linux shows them under /proc."""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

PROC = Path("/proc")


def is_running(pid: int) -> bool:
    """Return whether the process still runs; a zombie does not."""
    try:
        state, _ = _state_and_parent(pid)
    except OSError:
        return False
    return state not in {"Z", "X"}


def descendants(pid: int) -> list[int]:
    """Return the children of a process and the children of these, parents first."""
    children: dict[int, list[int]] = defaultdict(list)
    for candidate in _all_processes():
        with suppress(OSError):  # it ended while we looked
            _, parent = _state_and_parent(candidate)
            children[parent].append(candidate)
    found = list(children[pid])
    for child in found:
        found.extend(children[child])
    return found


def _all_processes() -> Iterator[int]:
    return (int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit())


def _state_and_parent(pid: int) -> tuple[str, int]:
    stat = (PROC / str(pid) / "stat").read_bytes()
    # The second field is the command in brackets, and may hold blanks and brackets itself.
    state, parent, *_ = stat.rpartition(b")")[2].split()
    return state.decode(), int(parent)
