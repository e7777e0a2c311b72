"""The limit on PostgreSQL: raw ASGI and an asyncpg pool that resets nothing."""

from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from benchmarks.baselines.environment import DATABASE_URL, POOL_SIZE
from benchmarks.baselines.raw_asgi import COLUMNS, Item
from benchmarks.baselines.raw_routes import RawApplication
from benchmarks.baselines.server import serve
from benchmarks.resource import TABLE

COLUMN_LIST = ", ".join(COLUMNS)
CREATE = f"""
    CREATE TABLE IF NOT EXISTS {TABLE} (
        id uuid PRIMARY KEY,
        name varchar(200) NOT NULL,
        description varchar(2000),
        version integer NOT NULL,
        created_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL
    )
"""
GET = f"SELECT {COLUMN_LIST} FROM {TABLE} WHERE id = $1"
LIST = f"SELECT {COLUMN_LIST} FROM {TABLE} ORDER BY id LIMIT $1"
ADD = f"INSERT INTO {TABLE} ({COLUMN_LIST}) VALUES ($1, $2, $3, $4, $5, $6)"
CHANGE = f"""
    UPDATE {TABLE} SET description = $3, version = version + 1, updated_at = $4
    WHERE id = $1 AND version = $2
    RETURNING {COLUMN_LIST}
"""


async def reset_nothing(connection: Any) -> None:
    """The statements above leave nothing behind on a connection."""


class PostgresqlStore:
    _pool: Any

    async def open(self) -> None:
        dsn = DATABASE_URL.replace("postgresql+asyncpg://", "postgresql://")
        self._pool = await asyncpg.create_pool(
            dsn, min_size=POOL_SIZE, max_size=POOL_SIZE, reset=reset_nothing
        )
        await self._pool.execute(CREATE)

    async def close(self) -> None:
        await self._pool.close()

    async def get(self, item_id: UUID) -> Item | None:
        row = await self._pool.fetchrow(GET, item_id)
        return dict(row) if row else None

    async def list(self, limit: int) -> list[Item]:
        return [dict(row) for row in await self._pool.fetch(LIST, limit)]

    async def add(self, item_id: UUID, name: str, description: str | None, at: datetime) -> Item:
        values = (item_id, name, description, 1, at, at)
        await self._pool.execute(ADD, *values)
        return dict(zip(COLUMNS, values, strict=True))

    async def change(
        self, item_id: UUID, version: int, description: str | None, at: datetime
    ) -> Item | None:
        row = await self._pool.fetchrow(CHANGE, item_id, version, description, at)
        return dict(row) if row else None


if __name__ == "__main__":
    serve(RawApplication(PostgresqlStore()))
