"""A file of SQLite's: what can happen to it from outside the service."""

import asyncio
import sys
from asyncio.subprocess import PIPE
from collections.abc import Mapping
from pathlib import Path

from tests.kernel.soak.faults import Fault

# It lets go when its standard input ends, and so also if this process dies.
HOLDER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], timeout=30, isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()
"""


class SqliteFile:
    def __init__(self, path: Path) -> None:
        self.url = f"sqlite+aiosqlite:///{path}"
        self._path = path

    def faults(self) -> Mapping[str, Fault]:
        return {"file locked": self._locked}

    async def leaks(self) -> list[str]:
        return []

    async def _locked(self, seconds: float) -> None:
        holder = await asyncio.create_subprocess_exec(
            sys.executable, "-c", HOLDER, str(self._path), stdin=PIPE, stdout=PIPE
        )
        try:
            assert holder.stdout
            assert await holder.stdout.readline() == b"held\n"
            await asyncio.sleep(seconds)
        finally:
            assert holder.stdin
            holder.stdin.close()
            await holder.wait()
