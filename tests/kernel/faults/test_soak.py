"""The soak in short: load and random faults, and an account in which nothing is wrong."""

import asyncio
import random
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

import pytest

from tests.kernel.faults.postgresql_service import needs_postgresql
from tests.kernel.soak.account import UNEXPECTED, WRONG_READ
from tests.kernel.soak.ledger import LOST
from tests.kernel.soak.plan import DatabaseName, Plan
from tests.kernel.soak.run import run, soak
from tests.kernel.soak.sqlite import SqliteFile

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("database", "seconds"),
    [pytest.param("postgresql", 25, marks=needs_postgresql), ("sqlite", 12)],
)
def test_nothing_is_wrong_after_random_faults(database: DatabaseName, seconds: float) -> None:
    plan = Plan(database, minutes=seconds / 60, every=3, seed=random.randrange(1_000_000))
    account = run(plan)

    assert account.wrong() == {}, f"{plan}\n{account.report()}"
    assert account.counts["faults"] >= 1
    assert account.counts["changes"] > 100


async def test_a_row_that_is_deleted_in_secret_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "soak.db"
    plan = Plan("sqlite", minutes=6 / 60, every=60)
    async with asyncio.TaskGroup() as tasks:
        soaking = tasks.create_task(soak(plan, SqliteFile(path), tmp_path))
        while not soaking.done():
            await asyncio.to_thread(take_items, path)
            await asyncio.sleep(0.5)
    account = soaking.result()

    assert {LOST, UNEXPECTED, WRONG_READ} <= account.wrong().keys(), account.report()


def take_items(path: Path) -> None:
    """Delete some items, any, if the table is there already."""
    with (
        closing(sqlite3.connect(path, timeout=10, isolation_level=None)) as connection,
        suppress(sqlite3.OperationalError),
    ):
        connection.execute(
            "DELETE FROM products WHERE id IN (SELECT id FROM products ORDER BY random() LIMIT 10)"
        )
