"""Several instances of the service may start, and migrate, at the same time."""

import asyncio
import subprocess
import sys
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.sql.kernel.migration.migrate import migrate
from adapters.sql.kernel.migration.schema import current_revision, head, upgrade_embedded_database
from tests.kernel.database_settings import engine_for
from tests.kernel.migrations.database_outline import outline

ROOT = Path(__file__).parents[3]
SEVERAL = 3


def start() -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.kernel.migrations.migrate_on_request"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def make_ready(process: subprocess.Popen[str], url: str) -> None:
    assert process.stdin
    assert process.stdout
    process.stdin.write(f"{url}\n")
    process.stdin.flush()
    assert process.stdout.readline() == "ready\n"


async def test_all_of_several_processes_succeed(empty_url: str, empty_engine: AsyncEngine) -> None:
    processes = [start() for _ in range(SEVERAL)]
    for process in processes:
        make_ready(process, empty_url)

    together = (asyncio.to_thread(process.communicate, "go\n", 60) for process in processes)
    ends = await asyncio.gather(*together)

    assert [
        (process.returncode, errors) for process, (_, errors) in zip(processes, ends, strict=True)
    ] == [(0, "")] * SEVERAL
    assert await current_revision(empty_engine) == head()
    assert "idempotency_records" in await outline(empty_engine)


async def test_all_of_several_engines_succeed(empty_url: str, empty_engine: AsyncEngine) -> None:
    engines = [engine_for(empty_url) for _ in range(SEVERAL)]

    await asyncio.gather(*(migrate(engine) for engine in engines))

    assert await current_revision(empty_engine) == head()
    for engine in engines:
        await engine.dispose()


async def test_several_services_bring_one_sqlite_file_up_to_date(sqlite_file_url: str) -> None:
    engines = [engine_for(sqlite_file_url) for _ in range(SEVERAL)]

    await asyncio.gather(*(upgrade_embedded_database(engine) for engine in engines))

    assert await current_revision(engines[0]) == head()
    for engine in engines:
        await engine.dispose()
