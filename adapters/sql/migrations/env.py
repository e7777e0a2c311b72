"""Alembic runs this module for every command; `adapters.sql.kernel.migration.migrate` passes the
connection."""

from typing import Any, cast

from alembic import context
from alembic.runtime.migration import MigrationInfo
from alembic.script import Script
from sqlalchemy import Connection

from adapters.sql.kernel.migration.migration_run import MigrationRun
from adapters.sql.kernel.migration.rendered_types import render_item
from adapters.sql.unit_of_work import metadata


def run(connection: Connection, around: MigrationRun) -> None:
    """Run the migrations in one transaction."""

    def note(step: MigrationInfo, **_: Any) -> None:
        script = cast(Script, step.up_revision)
        around.steps.append(" ".join([script.revision, *script.doc.split()]))

    context.configure(
        connection=connection,
        target_metadata=metadata,
        compare_type=True,
        compare_server_default=True,
        # SQLite changes a table by creating it again; PostgreSQL runs the same operations as ALTER.
        render_as_batch=True,
        render_item=render_item,
        # DDL is part of SQLite's transactions too, because ours begin with BEGIN IMMEDIATE.
        transactional_ddl=True,
        on_version_apply=note,  # type: ignore[arg-type]  # it is called with keywords
    )
    with context.begin_transaction():
        around.begin(connection)
        context.run_migrations()
        around.check(connection)
        around.commits = True


if "run" not in context.config.attributes:
    raise SystemExit("Run migrations by: python -m entrypoints db --help")
run(context.config.attributes["connection"], context.config.attributes["run"])
