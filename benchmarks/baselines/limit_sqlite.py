"""The limit on SQLite: raw ASGI and sqlite3, both in the one thread of the event loop.

Every write is a transaction of its own, durable before its response is sent.
"""

import sqlite3
from datetime import datetime
from uuid import UUID

from benchmarks.baselines.environment import DATABASE_URL
from benchmarks.baselines.raw_asgi import COLUMNS, Item
from benchmarks.baselines.raw_routes import RawApplication
from benchmarks.baselines.server import serve
from benchmarks.resource import TABLE

COLUMN_LIST = ", ".join(COLUMNS)
CREATE = f"""
    CREATE TABLE IF NOT EXISTS {TABLE} (
        id CHAR(32) NOT NULL PRIMARY KEY,
        name VARCHAR(200) NOT NULL,
        description VARCHAR(2000),
        version INTEGER NOT NULL,
        created_at TEXT NOT NULL,
        updated_at TEXT NOT NULL
    )
"""
GET = f"SELECT {COLUMN_LIST} FROM {TABLE} WHERE id = ?"
LIST = f"SELECT {COLUMN_LIST} FROM {TABLE} ORDER BY id LIMIT ?"
ADD = f"INSERT INTO {TABLE} ({COLUMN_LIST}) VALUES (?, ?, ?, ?, ?, ?)"
CHANGE = f"""
    UPDATE {TABLE} SET description = ?, version = version + 1, updated_at = ?
    WHERE id = ? AND version = ?
    RETURNING {COLUMN_LIST}
"""


def item_of(row: tuple[str, str, str | None, int, str, str]) -> Item:
    digits, name, description, version, created_at, updated_at = row
    return {
        "id": f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}",
        "name": name,
        "description": description,
        "version": version,
        "created_at": created_at,
        "updated_at": updated_at,
    }


class SqliteStore:
    _connection: sqlite3.Connection

    async def open(self) -> None:
        path = DATABASE_URL.partition(":///")[2]
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute(CREATE)

    async def close(self) -> None:
        self._connection.close()

    async def get(self, item_id: UUID) -> Item | None:
        row = self._connection.execute(GET, (item_id.hex,)).fetchone()
        return item_of(row) if row else None

    async def list(self, limit: int) -> list[Item]:
        return [item_of(row) for row in self._connection.execute(LIST, (limit,)).fetchall()]

    async def add(self, item_id: UUID, name: str, description: str | None, at: datetime) -> Item:
        time = at.isoformat(timespec="microseconds")
        row = (item_id.hex, name, description, 1, time, time)
        self._connection.execute(ADD, row)
        return item_of(row)

    async def change(
        self, item_id: UUID, version: int, description: str | None, at: datetime
    ) -> Item | None:
        values = (description, at.isoformat(timespec="microseconds"), item_id.hex, version)
        row = self._connection.execute(CHANGE, values).fetchone()
        return item_of(row) if row else None


if __name__ == "__main__":
    serve(RawApplication(SqliteStore()))
