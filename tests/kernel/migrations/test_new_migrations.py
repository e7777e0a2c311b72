"""`db revision` writes what runs at once, can be taken back, and passes the linter."""

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate.api import AutogenContext
from alembic.migration import MigrationContext
from alembic.util import CommandError
from sqlalchemy import Column, ForeignKey, MetaData, Table
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.types import TypeDecorator, UserDefinedType

from adapters.sql.kernel.column_types import Id, UtcTime
from adapters.sql.kernel.migration import new_migration, schema
from adapters.sql.kernel.migration.migrate import migrate, migrate_down
from adapters.sql.kernel.migration.new_migration import NOT_SEEN, _next_revision, write_migration
from adapters.sql.kernel.migration.rendered_types import render_item
from adapters.sql.unit_of_work import metadata
from tests.kernel.migrations.database_outline import outline
from tests.kernel.migrations.test_models_and_migrations_agree import differences
from tests.kernel.processes.environment import ROOT


class Money(TypeDecorator[int]):
    impl = sa.Numeric(12, 2)
    cache_ok = True


class Document(TypeDecorator[dict[str, int]]):
    impl = postgresql.JSONB
    cache_ok = True


class Vector(UserDefinedType[list[float]]):
    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        return "vector(3)"

    def __repr__(self) -> str:
        return "Vector()"


@pytest.fixture
def own_versions(versions: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory that begins with the service's own migrations."""
    for file in schema._MIGRATIONS.glob("[!_]*.py"):
        (versions / file.name).write_bytes(file.read_bytes())
    monkeypatch.setattr(schema, "_MIGRATIONS", versions)
    # The linter is tried on the file: its rules are those of the folder of migrations.
    monkeypatch.setattr(new_migration, "_lint", lambda _: None)
    return versions


@pytest.fixture
def new_tables(monkeypatch: pytest.MonkeyPatch) -> MetaData:
    """The tables, with two that no migration has made yet."""
    tables = MetaData(naming_convention=metadata.naming_convention)
    for table in metadata.tables.values():
        table.to_metadata(tables)
    Table(
        "new_books",
        tables,
        Column("id", Id, primary_key=True),
        Column("title", sa.String(100), nullable=False, unique=True),
        Column("price", Money, server_default="0", nullable=False),
        Column("sold_at", UtcTime, index=True),
        sa.CheckConstraint("price >= 0", name="price"),
    )
    Table(
        "new_loans",
        tables,
        Column("id", Id, primary_key=True),
        Column("book_id", Id, ForeignKey("new_books.id", ondelete="CASCADE"), nullable=False),
    )
    monkeypatch.setattr("adapters.sql.unit_of_work.metadata", tables)
    return tables


async def test_what_is_written_runs_and_can_be_taken_back(
    own_versions: Path, empty_engine: AsyncEngine, new_tables: MetaData
) -> None:
    await migrate(empty_engine)
    before = await outline(empty_engine)

    file = await write_migration(empty_engine, 'Add "books"\n\\ loans')
    schema._history.cache_clear()

    for _ in range(2):
        (step,) = await migrate(empty_engine)
        assert step.endswith('Add "books" \\ loans')
        assert {"new_books", "new_loans"} < set(await outline(empty_engine))
        async with empty_engine.connect() as connection:
            found = await connection.run_sync(differences)
        assert not [each for each in found if "add_table" in str(each)]
        await migrate_down(empty_engine, "-1")
        assert await outline(empty_engine) == before
    schema._history.cache_clear()
    assert "adapters" not in file.read_text()


def test_two_revisions_in_one_minute_are_in_order() -> None:
    now = datetime(2026, 11, 25, 12, 30, 20, tzinfo=UTC)

    first = _next_revision("20261124_0930", now)
    second = _next_revision(first, now)

    assert (first, second) == ("20261125_1230", "20261125_1231")
    assert _next_revision("20261231_2359", now) == "20270101_0000"
    assert _next_revision("of_another_form", now) == "20261125_1230"


async def test_a_database_that_is_behind_names_the_command(
    own_versions: Path, empty_engine: AsyncEngine
) -> None:
    with pytest.raises(CommandError, match="run `python -m entrypoints db upgrade`"):
        await write_migration(empty_engine, "too early")


@pytest.mark.parametrize("title", ["", " \n"])
async def test_a_migration_has_a_title(empty_engine: AsyncEngine, title: str) -> None:
    with pytest.raises(CommandError, match="needs a title"):
        await write_migration(empty_engine, title)


@pytest.mark.parametrize(
    ("type_", "text"),
    [
        (Money(), "sa.Numeric(precision=12, scale=2)"),
        (Document(), "postgresql.JSONB(astext_type=sa.Text())"),
        (Money().with_variant(sa.String(9), "sqlite"), ".with_variant(sa.String(length=9)"),
        (Vector(), f"{Vector.__module__}.Vector()"),
    ],
)
def test_types_of_our_own_are_written_as_plain_ones(
    type_: sa.types.TypeEngine[object], text: str
) -> None:
    """An upgrade of Alembic that renames `_repr_type`, which it does not document, fails here."""
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    options = {"sqlalchemy_module_prefix": "sa.", "user_module_prefix": None}
    context = AutogenContext(
        MigrationContext.configure(dialect=dialect, opts=options), MetaData(), opts=options
    )

    assert text in str(render_item("type", type_, context))
    assert context.imports or text.startswith(("sa.", ".with"))


@pytest.mark.slow
def test_the_command_works_on_a_fresh_clone_and_passes_the_linter(tmp_path: Path) -> None:
    for name in ("domain", "application", "adapters", "entrypoints", "pyproject.toml"):
        subprocess.run(["cp", "-r", ROOT / name, tmp_path], check=True)
    versions = tmp_path / "adapters" / "sql" / "migrations" / "versions"
    table = tmp_path / "adapters" / "sql" / "unit_of_work.py"
    table.write_text(
        table.read_text()
        + "\n\nfrom sqlalchemy import Column, Table\n"
        + "from adapters.sql.kernel.column_types import Id, UtcTime\n"
        + "new_books = Table(\n"
        + '    "new_books",\n'
        + '    metadata, Column("id", Id, primary_key=True), Column("at", UtcTime)\n)\n'
    )
    before = set(versions.glob("*.py"))

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )

    title = "Add books, in a title that is longer than the line of a hundred characters " * 2
    ended = run("entrypoints", "db", "revision", title)
    run("entrypoints", "db", "revision", "Nothing, since all is there")

    first, second = sorted(set(versions.glob("*.py")) - before)
    assert ended.stdout.strip() == str(first)
    assert NOT_SEEN in ended.stderr
    assert first.name[:13] < second.name[:13]
    assert not (tmp_path / "data").exists()
    run("ruff", "check", str(versions))
    run("ruff", "format", "--check", str(versions))
    assert "Add books" in run("entrypoints", "db", "upgrade").stdout
