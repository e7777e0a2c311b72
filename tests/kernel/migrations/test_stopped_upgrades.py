"""A signal to `db upgrade` ends its statement on the server, rolls back, and says so."""

import asyncio
import signal
import sys
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.sql.kernel.migration.schema import current_revision
from tests.kernel.migrations.database_outline import outline
from tests.kernel.migrations.own_migrations import written_to
from tests.kernel.processes.environment import environment_without_settings

PATIENCE_SECONDS = 100
FOREVER = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i FROM n) SELECT max(i) FROM n",
    "postgresql": "SELECT pg_sleep(3600)",
}
OTHERS = """
    SELECT count(*) FROM pg_stat_activity
     WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_leaves_nothing_behind(
    tmp_path: Path,
    versions: Path,
    empty_engine: AsyncEngine,
    empty_url: str,
    number: signal.Signals,
) -> None:
    under_way = tmp_path / "under_way"
    written_to(
        versions,
        (
            f"""
            import pathlib
            op.create_table("things", sa.Column("id", sa.Integer, primary_key=True))
            pathlib.Path({str(under_way)!r}).touch()
            op.execute({FOREVER[empty_engine.dialect.name]!r})
            """,
            "",
        ),
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.kernel.migrations.upgrade_with",
        str(versions),
        cwd=tmp_path,
        env=environment_without_settings() | {"APP_DATABASE_URL": empty_url},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not under_way.exists():
            assert process.returncode is None
            await asyncio.sleep(0.01)
        process.send_signal(number)
        output, errors = await process.communicate()

    assert (process.returncode, output) == (128 + number, b"")
    assert errors.decode() == f"Stopped by {number.name}: nothing was changed.\n"
    assert await outline(empty_engine) == {}
    assert await current_revision(empty_engine) is None
    if empty_engine.dialect.name == "postgresql":
        async with empty_engine.connect() as connection, asyncio.timeout(PATIENCE_SECONDS):
            while await connection.scalar(text(OTHERS)):
                await connection.rollback()
                await asyncio.sleep(0.01)
