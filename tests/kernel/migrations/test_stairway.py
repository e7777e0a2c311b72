"""Every revision can be taken back, and made again."""

from alembic.script import ScriptDirectory
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.sql.kernel.migration.migrate import alembic_config, migrate, migrate_down
from adapters.sql.kernel.migration.schema import current_revision, head
from tests.kernel.migrations.database_outline import outline


async def test_each_step_goes_up_and_down_and_up(empty_engine: AsyncEngine) -> None:
    upwards = reversed(list(ScriptDirectory.from_config(alembic_config()).walk_revisions()))
    for script in upwards:
        before = await outline(empty_engine)
        await migrate(empty_engine, script.revision)
        after = await outline(empty_engine)
        assert await current_revision(empty_engine) == script.revision

        await migrate_down(empty_engine, str(script.down_revision or "base"))
        assert await outline(empty_engine) == before

        await migrate(empty_engine, script.revision)
        assert await outline(empty_engine) == after

    assert await current_revision(empty_engine) == head()


async def test_all_steps_can_be_taken_back_at_once(empty_engine: AsyncEngine) -> None:
    await migrate(empty_engine)
    await migrate_down(empty_engine, "base")

    assert await outline(empty_engine) == {}


async def test_a_second_run_changes_nothing(empty_engine: AsyncEngine) -> None:
    await migrate(empty_engine)
    first = await outline(empty_engine)
    await migrate(empty_engine)

    assert await outline(empty_engine) == first
    assert await current_revision(empty_engine) == head()
