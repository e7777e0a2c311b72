"""What a service on SQLite does not import: each takes time at every start, and memory for good."""

import asyncio
import subprocess
import sys

from adapters.sql.kernel.migration.schema import upgrade_embedded_database
from tests.kernel.database_settings import engine_for
from tests.kernel.processes.environment import ROOT, environment_without_settings

SERVE = """
import asyncio, sys
from tests.kernel.warehouse.app import create_app
from entrypoints.settings import AppSettings

async def serve():
    app = create_app(AppSettings(_env_file=None))
    async with app.router.lifespan_context(app):
        await app.state.container.readiness().is_ready()

asyncio.run(serve())
print(*sys.modules)
"""


async def test_neither_postgresql_s_dialect_nor_alembic_is_imported(sqlite_file_url: str) -> None:
    engine = engine_for(sqlite_file_url)
    await upgrade_embedded_database(engine)  # which takes Alembic
    await engine.dispose()

    served = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", SERVE],
        cwd=ROOT,
        env=environment_without_settings() | {"APP_DATABASE_URL": sqlite_file_url},
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )

    modules = served.stdout.splitlines()[-1].split()
    assert "sqlalchemy.dialects.sqlite" in modules
    assert not {"alembic", "sqlalchemy.dialects.postgresql"} & {*modules}
