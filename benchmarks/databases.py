"""A database for each subject: on one durable PostgreSQL server, or a SQLite file."""

import asyncio
from pathlib import Path

import asyncpg

from benchmarks.subjects import POSTGRESQL
from tests.kernel.processes.postgresql_server import PostgresServer

DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}


class Databases:
    def __init__(self, server: PostgresServer | None, directory: Path) -> None:
        self._server = server
        self._directory = directory

    def create(self, database: str, name: str, port: int | None = None) -> str:
        """Make a new, empty one and return its address, by way of a proxy's port if given."""
        if database == POSTGRESQL:
            server = self._postgresql()
            asyncio.run(server.create_database(name))
            return server.url(name, port=port)
        return f"sqlite+aiosqlite:///{self._directory / name}.sqlite3"

    def postgresql_port(self) -> int:
        return self._postgresql().port

    def postgresql_version(self) -> str:
        """Check that PostgreSQL keeps what it says that it has committed, and name its version."""
        settings = asyncio.run(_settings(self._postgresql().url(driver="postgresql")))
        for name, value in DURABLE.items():
            if settings[name] != value:
                raise RuntimeError(f"PostgreSQL is not durable: {name} is {settings[name]}")
        return settings["server_version"]

    def _postgresql(self) -> PostgresServer:
        assert self._server
        return self._server


async def _settings(url: str) -> dict[str, str]:
    connection = await asyncpg.connect(url)
    try:
        rows = await connection.fetch("SELECT name, setting FROM pg_settings")
        return {row["name"]: row["setting"] for row in rows}
    finally:
        await connection.close()
