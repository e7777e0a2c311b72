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
    python: str = sys.executable

    @property
    def command(self) -> list[str]:
        return [self.python, "-m", self.module]

    @property
    def migration_command(self) -> list[str]:
        return [*self.command, *self.migration] if self.migration else []


def subjects_of(database: str, python: str = sys.executable) -> list[Subject]:
    """Return everybody on the database; `python` runs those who need but the service's packages."""
    baselines = "benchmarks.baselines"
    migration = ("db", "upgrade") if database == POSTGRESQL else ()
    limit = f"{baselines}.limit_{database.lower()}"
    return [
        Subject(SERVICE, database, "entrypoints", migration, python),
        Subject(LIMIT, database, limit, python=python),
        Subject(TUTORIAL, database, f"{baselines}.tutorial", python=python),
        Subject(LITESTAR, database, f"{baselines}.litestar_advanced_alchemy"),
    ]
