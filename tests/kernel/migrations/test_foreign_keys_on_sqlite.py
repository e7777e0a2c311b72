"""A migration that creates a table again leaves the rows that refer to it as they are.

While foreign keys are enforced, SQLite deletes every row of a table that is dropped, and those that
refer to them follow `ON DELETE`: https://www.sqlite.org/foreignkeys.html#fk_schemacommands.
"""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.sql.kernel.migration.migrate import migrate, migrate_down
from adapters.sql.kernel.migration.migration_errors import MigrationFailed
from adapters.sql.kernel.migration.schema import current_revision
from tests.kernel.database_settings import engine_for
from tests.kernel.migrations.own_migrations import written_to

TABLES = """
    op.create_table(
        "authors",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(20), nullable=False),
        sa.Column("mentor_id", sa.Integer),
        sa.ForeignKeyConstraint(["mentor_id"], ["authors.id"], "fk_mentor", ondelete="CASCADE"),
    )
    op.create_table(
        "books",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("author_id", sa.Integer),
        sa.Column("editor_id", sa.Integer),
        sa.ForeignKeyConstraint(["author_id"], ["authors.id"], "fk_author", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["editor_id"], ["authors.id"], "fk_editor", ondelete="SET NULL"),
    )
    op.execute("INSERT INTO authors VALUES (1, 'Ada', NULL), (2, 'Bob', 1)")
    op.execute("INSERT INTO books VALUES (10, 1, 2), (20, 2, 1)")
"""
NO_TABLES = """
    op.drop_table("books")
    op.drop_table("authors")
"""
AUTHORS = [(1, "Ada", None), (2, "Bob", 1)]
BOOKS = [(10, 1, 2), (20, 2, 1)]

HARMLESS = {
    "alter_column": (
        """
        with op.batch_alter_table("authors") as batch:
            batch.alter_column("name", type_=sa.String(50))
        """,
        """
        with op.batch_alter_table("authors") as batch:
            batch.alter_column("name", type_=sa.String(20))
        """,
    ),
    "add_and_drop_column": (
        """
        with op.batch_alter_table("authors", recreate="always") as batch:
            batch.add_column(sa.Column("born", sa.Integer))
        with op.batch_alter_table("authors", recreate="always") as batch:
            batch.drop_column("born")
        """,
        "",
    ),
    "add_constraint": (
        """
        with op.batch_alter_table("authors") as batch:
            batch.create_check_constraint("ck_authors_name", "length(name) > 0")
        """,
        """
        with op.batch_alter_table("authors") as batch:
            batch.drop_constraint("ck_authors_name", type_="check")
        """,
    ),
    "rename_column": (
        """
        with op.batch_alter_table("authors", recreate="always") as batch:
            batch.alter_column("name", new_column_name="full_name")
        """,
        """
        with op.batch_alter_table("authors", recreate="always") as batch:
            batch.alter_column("full_name", new_column_name="name")
        """,
    ),
    "rename_table": (
        """
        op.rename_table("authors", "people")
        with op.batch_alter_table("people", recreate="always") as batch:
            batch.add_column(sa.Column("born", sa.Integer))
        with op.batch_alter_table("people", recreate="always") as batch:
            batch.drop_column("born")
        op.rename_table("people", "authors")
        """,
        "",
    ),
    "the_table_that_refers": (
        """
        with op.batch_alter_table("books", recreate="always") as batch:
            batch.alter_column("editor_id", existing_type=sa.Integer, nullable=True)
        """,
        "",
    ),
}
BREAKING = {
    "row_deleted": """op.execute("DELETE FROM authors WHERE id = 2")""",
    "table_dropped": """op.drop_table("authors")""",
    "reference_to_nothing": """op.execute("UPDATE books SET author_id = 99 WHERE id = 10")""",
    "table_emptied_by_hand": """
        op.execute("CREATE TABLE new (id INTEGER PRIMARY KEY, name VARCHAR(20), mentor_id INTEGER)")
        op.execute("DROP TABLE authors")
        op.rename_table("new", "authors")
    """,
}


@pytest.fixture(params=["sqlite_file_url", "sqlite_in_memory_url"])
async def engine(request: pytest.FixtureRequest) -> AsyncIterator[AsyncEngine]:
    engine = engine_for(request.getfixturevalue(request.param))
    yield engine
    await engine.dispose()


async def rows(engine: AsyncEngine, table: str) -> list[Any]:
    async with engine.connect() as connection:
        found = await connection.execute(text(f"SELECT * FROM {table} ORDER BY id"))
        return [tuple(row) for row in found]


async def assert_foreign_keys_are_enforced(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        assert await connection.scalar(text("PRAGMA foreign_keys")) == 1


@pytest.mark.parametrize("change", HARMLESS)
async def test_no_row_is_lost(versions: Path, engine: AsyncEngine, change: str) -> None:
    upgrade, downgrade = HARMLESS[change]
    written_to(versions, (TABLES, NO_TABLES), (upgrade, downgrade))
    for revision in ("m1", "m2"):
        await migrate(engine, revision)
        assert await rows(engine, "authors") == AUTHORS
        assert await rows(engine, "books") == BOOKS
    await migrate_down(engine, "m1")
    assert await rows(engine, "authors") == AUTHORS
    assert await rows(engine, "books") == BOOKS
    await assert_foreign_keys_are_enforced(engine)


@pytest.mark.parametrize("change", BREAKING)
async def test_a_migration_that_breaks_a_reference_changes_nothing(
    versions: Path, engine: AsyncEngine, change: str
) -> None:
    written_to(versions, (TABLES, NO_TABLES), (BREAKING[change], ""))
    await migrate(engine, "m1")

    with pytest.raises(MigrationFailed, match=r"nothing was changed: .*books to authors"):
        await migrate(engine)

    assert await current_revision(engine) == "m1"
    assert await rows(engine, "authors") == AUTHORS
    assert await rows(engine, "books") == BOOKS
    await assert_foreign_keys_are_enforced(engine)


async def test_foreign_keys_are_enforced_again_after_a_failed_migration(
    versions: Path, engine: AsyncEngine
) -> None:
    written_to(versions, (TABLES, NO_TABLES), ("raise RuntimeError('broken')", ""))
    await migrate(engine, "m1")

    with pytest.raises(MigrationFailed, match=r"m2_made_by_a_test\.py, line \d+, .* broken"):
        await migrate(engine)

    await assert_foreign_keys_are_enforced(engine)
