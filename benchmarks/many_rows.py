"""Fills a subject's table by SQL: copies of the one item that it has, under ids that count up."""

import asyncio
import sqlite3
from uuid import UUID

import asyncpg

from benchmarks.resource import TABLE

COPIED = "name, description, version, created_at, updated_at"
REST_OF_ID = "70008000000000000000"
"""A UUIDv7's time comes first, in twelve digits: there the row's number stands."""

ON_POSTGRESQL = f"""
    INSERT INTO {{table}} (id, {COPIED})
    SELECT (lpad(to_hex(n), 12, '0') || '{REST_OF_ID}')::uuid, {COPIED}
    FROM {{table}} CROSS JOIN generate_series(1, {{rows}}) AS n
"""
ON_SQLITE = f"""
    WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {{rows}})
    INSERT INTO {{table}} (id, {COPIED})
    SELECT printf('%012x{REST_OF_ID}', n), {COPIED} FROM numbers CROSS JOIN {{table}}
"""


def row_id(number: int) -> UUID:
    return UUID(f"{number:012x}{REST_OF_ID}")


def multiply(url: str, original: str, rows: int, table: str = TABLE) -> None:
    """Leave `rows` rows in the table, without the original."""
    if url.startswith("sqlite"):
        _on_sqlite(url.partition(":///")[2], UUID(original), rows, table)
    else:
        address = url.replace("postgresql+asyncpg", "postgresql")
        asyncio.run(_on_postgresql(address, UUID(original), rows, table))


def _on_sqlite(path: str, original: UUID, rows: int, table: str) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute(ON_SQLITE.format(rows=rows, table=table))
    connection.execute(f"DELETE FROM {table} WHERE id = ?", (original.hex,))
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


async def _on_postgresql(url: str, original: UUID, rows: int, table: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(ON_POSTGRESQL.format(rows=rows, table=table))
    await connection.execute(f"DELETE FROM {table} WHERE id = $1", original)
    await connection.execute(f"VACUUM ANALYZE {table}")
    await connection.close()
