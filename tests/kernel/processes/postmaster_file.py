"""The file in which a running PostgreSQL server says how it is, and which `pg_ctl` reads too."""

import ctypes
from pathlib import Path

SHARED_MEMORY_LINE = 6
STATUS_LINE = 7
IPC_RMID = 0


def is_ready(path: Path, pid: int) -> bool:
    """Return whether this very server accepts connections.

    An attempt to connect does not show that: another server may have taken the port first.
    """
    lines = _lines(path)
    return len(lines) > STATUS_LINE and lines[0] == str(pid) and lines[STATUS_LINE] == "ready"


def release_shared_memory(path: Path) -> None:
    """Do what a killed server could not: its small System V segment outlives all processes."""
    lines = _lines(path)
    if len(lines) > SHARED_MEMORY_LINE:
        _key, segment = lines[SHARED_MEMORY_LINE].split()
        ctypes.CDLL(None).shmctl(int(segment), IPC_RMID, None)


def _lines(path: Path) -> list[str]:
    try:
        return [line.strip() for line in path.read_text().splitlines()]
    except FileNotFoundError:
        return []
