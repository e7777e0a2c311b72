"""Two versions of the service side by side on one database, while the newer one is rolled out.

The newer version is a copy of the project with one more migration, which adds a column that may be
NULL and a table: docs/deploying.md, "expand". Without `SchemaPosition.is_ahead`
(`adapters/sql/kernel/migration/schema.py`), the older instances are not ready and cannot start
again.
"""

import asyncio
import shutil
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx
import pytest

from adapters.sql.kernel.migration.schema import head
from tests.kernel.database_settings import engine_for
from tests.kernel.integration.service import PRODUCTS
from tests.kernel.processes.environment import ROOT, environment_without_settings
from tests.kernel.processes.service_process import ServiceProcess
from tests.kernel.warehouse.storages import migrate_and_create_tables

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

COPIED = ("domain", "application", "adapters", "entrypoints", "tests")
NEWER = "99991231_2359"
MIGRATION = f'''
"""Add a color to the items, and a table."""

import sqlalchemy as sa
from alembic import op

revision = "{NEWER}"
down_revision = "{head()}"


def upgrade() -> None:
    op.add_column("products", sa.Column("color", sa.String(20)))
    op.create_table("colors", sa.Column("name", sa.String(20), primary_key=True))
'''
CLIENTS = 3
SECONDS_BETWEEN_ROUNDS = 0.02
SECONDS_BETWEEN_STEPS = 1.0


@pytest.fixture
def newer_tree(tmp_path: Path) -> Path:
    tree = tmp_path / "newer"
    for layer in COPIED:
        shutil.copytree(ROOT / layer, tree / layer, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tree)
    versions = tree / "adapters" / "sql" / "migrations" / "versions"
    (versions / f"{NEWER}_add_a_color.py").write_text(MIGRATION)
    return tree


@pytest.fixture(params=["sqlite_file_url", "empty_postgresql_url"])
def url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(request.param))


async def db(tree: Path, url: str, *arguments: str) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "entrypoints",
        "db",
        *arguments,
        env=environment_without_settings() | {"PYTHONPATH": str(tree), "APP_DATABASE_URL": url},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    return process.returncode, output.decode()


def service(tree: Path, url: str) -> ServiceProcess:
    return ServiceProcess({"APP_DATABASE_URL": url, "PYTHONPATH": str(tree)})


@asynccontextmanager
async def load(instances: list[ServiceProcess], counts: Counter[str]) -> AsyncIterator[None]:
    """Have clients use all instances, those too that are added later, and count the statuses."""
    ended = asyncio.Event()

    async def use(number: int) -> None:
        async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
            while not ended.is_set():
                # The versions that start have to get some of the machine too.
                await asyncio.sleep(SECONDS_BETWEEN_ROUNDS)
                for instance in list(instances):
                    items = f"{instance.base_url}{PRODUCTS}"
                    made = await client.post(items, json={"name": f"of client {number}"})
                    item = f"{items}/{made.json()['id']}"
                    for response in (
                        made,
                        await client.get(item),
                        await client.patch(item, json={"name": "changed"}),
                        await client.get(f"{items}?limit=50"),
                        await client.get(f"{instance.base_url}/health/ready"),
                    ):
                        counts[f"{response.request.method} {response.status_code}"] += 1
                        assert response.is_success, response.text

    async with asyncio.TaskGroup() as clients:
        for number in range(CLIENTS):
            clients.create_task(use(number))
        yield
        ended.set()


async def test_two_versions_serve_side_by_side(
    tmp_path: Path, newer_tree: Path, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    engine = engine_for(url)
    await migrate_and_create_tables(engine)
    await engine.dispose()
    counts: Counter[str] = Counter()
    async with AsyncExitStack() as running:
        old = await running.enter_async_context(service(ROOT, url))
        instances = [old]
        async with load(instances, counts):
            await asyncio.sleep(SECONDS_BETWEEN_STEPS)
            began = time.monotonic()
            status, output = await db(newer_tree, url, "upgrade")
            migrated_in = time.monotonic() - began
            assert status == 0, output
            assert f"ran {NEWER} Add a color to the items, and a table." in output
            await asyncio.sleep(SECONDS_BETWEEN_STEPS)
            instances.append(await running.enter_async_context(service(newer_tree, url)))
            # An older instance that starts again.
            instances.append(await running.enter_async_context(service(ROOT, url)))
            await asyncio.sleep(SECONDS_BETWEEN_STEPS)
        for older in (old, instances[-1]):
            lines = [line for line in older.log.splitlines() if NEWER in line]
            assert len(lines) == 1
            assert "still serving" in lines[0]

    with capsys.disabled():
        print(f"\n{counts.total()} requests, no error; migrated in {migrated_in:.1f} s")
