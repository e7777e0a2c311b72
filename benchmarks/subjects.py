"""What is measured: the service, and what it is compared with."""

import sys
from dataclasses import dataclass

POSTGRESQL, SQLITE = "PostgreSQL", "SQLite"
DATABASES = (POSTGRESQL, SQLITE)
POOL_SIZE = 10

SERVICE, LIMIT, TUTORIAL, LITESTAR = "service", "limit", "tutorial", "litestar"
NAMES = (SERVICE, LIMIT, TUTORIAL, LITESTAR)


@dataclass(frozen=True)
class Subject:
    name: str
    database: str
    module: str
    """Run by `python -m`, it takes the service's settings and serves its routes."""
    migration: tuple[str, ...] = ()

    @property
    def command(self) -> list[str]:
        return [sys.executable, "-m", self.module]

    @property
    def migration_command(self) -> list[str]:
        return [*self.command, *self.migration] if self.migration else []


def subjects_of(database: str) -> list[Subject]:
    baselines = "benchmarks.baselines"
    return [
        Subject(
            SERVICE,
            database,
            "entrypoints",
            ("db", "upgrade") if database == POSTGRESQL else (),
        ),
        Subject(LIMIT, database, f"{baselines}.limit_{database.lower()}"),
        Subject(TUTORIAL, database, f"{baselines}.tutorial"),
        Subject(LITESTAR, database, f"{baselines}.litestar_advanced_alchemy"),
    ]
