"""The service brings an embedded database up to date by itself, and a server's never."""

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.sql.kernel.migration.migrate import migrate_down
from adapters.sql.kernel.migration.schema import current_revision, head, upgrade_embedded_database
from adapters.sql.unit_of_work import metadata
from tests.kernel.database_settings import engine_for
from tests.kernel.migrations.database_outline import outline


@pytest.mark.parametrize("kind", ["sqlite_file_url", "sqlite_in_memory_url"])
async def test_a_sqlite_database_is_brought_up_to_date(
    request: pytest.FixtureRequest, kind: str
) -> None:
    engine = engine_for(request.getfixturevalue(kind))

    await upgrade_embedded_database(engine)

    assert await current_revision(engine) == head()
    assert set(await outline(engine)) == set(metadata.tables)
    await engine.dispose()


async def test_an_older_sqlite_database_is_brought_up_to_date(sqlite_file_url: str) -> None:
    engine = engine_for(sqlite_file_url)
    await upgrade_embedded_database(engine)
    await migrate_down(engine, "base")

    await upgrade_embedded_database(engine)

    assert await current_revision(engine) == head()
    await engine.dispose()


async def test_a_server_is_left_alone(empty_postgresql_url: str) -> None:
    engine = engine_for(empty_postgresql_url)

    await upgrade_embedded_database(engine)

    assert await current_revision(engine) is None
    assert await outline(engine) == {}
    await engine.dispose()


async def test_a_migrated_server_stays_at_its_revision(postgresql_url: str) -> None:
    engine: AsyncEngine = engine_for(postgresql_url)

    await upgrade_embedded_database(engine)

    assert await current_revision(engine) == head()
    await engine.dispose()
