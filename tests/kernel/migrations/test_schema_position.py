"""What the service makes of a database's schema: at, behind or ahead of what it needs."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.sql.kernel.errors.driver_errors import SchemaMissing
from adapters.sql.kernel.migration import schema
from adapters.sql.kernel.migration.migrate import migrate
from adapters.sql.kernel.migration.schema import (
    SchemaPosition,
    current_revision,
    head,
    schema_position,
    upgrade_embedded_database,
)
from adapters.sql.kernel.storage import SqlStorage
from adapters.sql.unit_of_work import SqlReadingUnitOfWork, SqlUnitOfWork, metadata
from tests.kernel.migrations.database_outline import outline

HISTORY = {"a": None, "b": "a", "c": "b"}
NEWER = "99991231_2359"


@pytest.fixture
def history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """`history(a=None, b="a")` puts migrations in the place of the service's own."""

    def write(**parents: object) -> None:
        for revision, parent in parents.items():
            (tmp_path / f"{revision}_some_title.py").write_text(
                f'revision = "{revision}"\ndown_revision: object = {parent!r}\n'
            )
        monkeypatch.setattr(schema, "_MIGRATIONS", tmp_path)
        schema._history.cache_clear()

    return write


@pytest.fixture(autouse=True)
def _own_history_again() -> Iterator[None]:
    yield
    schema._history.cache_clear()


@pytest.mark.parametrize(
    ("revision", "behind", "ahead"),
    [
        (None, True, False),
        ("a", True, False),
        ("b", True, False),
        ("c", False, False),
        ("d", False, True),
    ],
)
def test_only_a_revision_that_is_known_and_older_is_behind(
    history: Callable[..., None], revision: str | None, behind: bool, ahead: bool
) -> None:
    history(**HISTORY)
    position = SchemaPosition(revision, head())

    assert head() == "c"
    assert (position.is_behind, position.is_ahead) == (behind, ahead)
    assert ("db upgrade" in str(position)) is behind


def test_the_head_is_no_matter_of_names(history: Callable[..., None]) -> None:
    history(z=None, a="z")

    assert head() == "a"


def test_two_branches_that_meet_have_one_head(history: Callable[..., None]) -> None:
    history(a=None, b="a", c="a", d=("b", "c"))

    assert head() == "d"


def test_two_heads_are_named(history: Callable[..., None]) -> None:
    history(a=None, b="a", c="a")

    with pytest.raises(SchemaMissing, match="several migrations are the newest, b and c"):
        head()


async def test_a_database_at_two_revisions_is_named(empty_engine: AsyncEngine) -> None:
    await migrate(empty_engine)
    async with empty_engine.begin() as connection:
        await connection.execute(text("INSERT INTO alembic_version VALUES ('another')"))

    with pytest.raises(SchemaMissing, match=f"several revisions: {head()} and another"):
        await current_revision(empty_engine)


async def _make_newer(engine: AsyncEngine) -> None:
    """Do as a newer version of the service would: add a table."""
    await migrate(engine)
    async with engine.begin() as connection:
        await connection.execute(text("CREATE TABLE newer (id INTEGER PRIMARY KEY)"))
        await connection.execute(text(f"UPDATE alembic_version SET version_num = '{NEWER}'"))


async def test_a_newer_database_is_left_alone_and_ready(
    empty_engine: AsyncEngine, caplog: pytest.LogCaptureFixture
) -> None:
    await _make_newer(empty_engine)
    before = await outline(empty_engine)

    await upgrade_embedded_database(empty_engine)
    storage = SqlStorage(empty_engine, metadata, SqlReadingUnitOfWork, SqlUnitOfWork)
    await storage.open()
    for _ in range(3):
        await storage.check()
    await storage.close()

    assert await outline(empty_engine) == before
    assert (await schema_position(empty_engine)).revision == NEWER
    (line,) = [each for each in caplog.messages if NEWER in each]
    assert f"assumes to be newer than {head()}; still serving" in line


async def test_a_database_that_was_never_migrated_names_the_command(
    empty_engine: AsyncEngine,
) -> None:
    storage = SqlStorage(empty_engine, metadata, SqlReadingUnitOfWork, SqlUnitOfWork)

    with pytest.raises(SchemaMissing, match="run `python -m entrypoints db upgrade`"):
        await storage.check()

    await storage.close()
