"""Alembic runs this for every command; the connection comes from adapters.sql.migration."""

from typing import Any

from alembic import context
from sqlalchemy import Connection, text

from adapters.sql.tables import metadata

# Any number will do, as long as every version of this service uses the same.
_LOCK = 7_216_538_203_114_905


def run(connection: Connection | None) -> None:
    """Run the migrations in one transaction, after those who came before."""
    if connection is None:
        raise SystemExit("Run migrations by: python -m entrypoints db --help")
    options: dict[str, Any] = {}
    if connection.dialect.name == "sqlite":
        # The transaction begins with BEGIN IMMEDIATE, which makes others wait; and SQLite
        # changes a table by making it anew.
        options = {"transactional_ddl": True, "render_as_batch": True}
    context.configure(connection=connection, target_metadata=metadata, compare_type=True, **options)
    with context.begin_transaction():
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        context.run_migrations()


run(context.config.attributes.get("connection"))
