"""The position of a database's schema: behind, at or ahead of what this version needs.

It is found without Alembic, whose import takes a fifth of the service's start: see
`adapters.sql.kernel.migration.migrate`.
"""

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import String, column, inspect, select, table
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from adapters.sql.kernel.errors.driver_errors import SchemaMissing

UPGRADE = "python -m entrypoints db upgrade"
_MIGRATIONS = Path(__file__).parents[2] / "migrations" / "versions"
_REVISIONS = select(column("version_num", String)).select_from(table("alembic_version"))


@dataclass(frozen=True, slots=True)
class SchemaPosition:
    """The revision of a database's schema, compared with what this version of the service needs."""

    revision: str | None
    """None if the database was never migrated."""
    needed: str

    @property
    def is_ahead(self) -> bool:
        """Whether a newer version of the service has migrated the database. Older versions can
        still use it: see docs/deploying.md."""
        return self.revision is not None and self.revision not in _history()

    @property
    def is_behind(self) -> bool:
        """Whether a migration that this version needs has not been run."""
        return self.revision != self.needed and not self.is_ahead

    def __str__(self) -> str:
        text = (
            f"the schema is at revision {self.revision}" if self.revision else "there is no schema"
        )
        if self.is_behind:
            return f"{text}, and this version needs {self.needed}: run `{UPGRADE}`"
        if self.is_ahead:
            return (
                f"{text}, which this version does not know "
                f"and assumes to be newer than {self.needed}"
            )
        return text


def head() -> str:
    """Return the revision that this version of the service needs: the newest migration's.

    Raises `SchemaMissing` if several are the newest, as after a merge of two branches.
    """
    history = _history()
    followed = {parent for parents in history.values() for parent in parents}
    newest = sorted(set(history) - followed)
    if len(newest) != 1:
        raise SchemaMissing(
            f"several migrations are the newest, {' and '.join(newest)}: "
            "let one of them follow the other (`down_revision`)"
        )
    return newest[0]


async def current_revision(engine: AsyncEngine) -> str | None:
    """Return the revision that the database is at, None if it was never migrated.

    Raises `SchemaMissing` if it is at several revisions at once.
    """
    async with engine.connect() as connection:
        return await _revision_on(connection)


async def _revision_on(connection: AsyncConnection) -> str | None:
    if not await connection.run_sync(lambda it: inspect(it).has_table("alembic_version")):
        return None
    revisions = sorted((await connection.scalars(_REVISIONS)).all())
    if len(revisions) > 1:
        raise SchemaMissing(f"the database is at several revisions: {' and '.join(revisions)}")
    return revisions[0] if revisions else None


async def schema_position(engine: AsyncEngine) -> SchemaPosition:
    """Return the position of the database's schema.

    Raises `SchemaMissing` if the database or the migrations have no single newest revision.
    """
    return SchemaPosition(await current_revision(engine), head())


async def schema_position_on(connection: AsyncConnection) -> SchemaPosition:
    """Return the position of the schema, read on an open connection."""
    return SchemaPosition(await _revision_on(connection), head())


async def upgrade_embedded_database(engine: AsyncEngine) -> None:
    """Migrate an embedded SQLite database. A server's database is migrated by the command
    `python -m entrypoints db upgrade`, not here."""
    if engine.dialect.name == "sqlite" and (await schema_position(engine)).is_behind:
        from adapters.sql.kernel.migration.migrate import migrate  # noqa: PLC0415 -- see there

        await migrate(engine)


@cache
def _history() -> Mapping[str, tuple[str, ...]]:
    """Return the revision of each migration, and the revisions that it follows
    (`down_revision`)."""
    history = {}
    for file in sorted(_MIGRATIONS.glob("[!_]*.py")):
        values = _assigned(file)
        parents = values.get("down_revision") or ()
        history[values["revision"]] = (parents,) if isinstance(parents, str) else tuple(parents)
    return history


def _assigned(file: Path) -> dict[str, Any]:
    """Return the literals that a module assigns to names, without importing it."""
    values = {}
    for node in ast.parse(file.read_bytes()).body:
        match node:
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=value)
                | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
            ) if name in {"revision", "down_revision"}:
                values[name] = ast.literal_eval(value)
            case _:
                pass
    return values
