"""A write that SQLite interrupts for its deadline is not stored: a COMMIT cannot be interrupted.

SQLite calls the progress handler once more at the end of a statement, when a COMMIT, or a statement
that commits by itself, has been made. Without `DeadlineConnection.commit` and the BEGIN around a
single write, many writes that fail are stored.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from sqlalchemy import insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from adapters.sql.kernel.sqlite import deadline as sqlite_deadline
from adapters.sql.kernel.sqlite.deadline import SqliteDeadline
from application.kernel.commits import COMMITS, Commits, Outcome
from application.kernel.errors import StorageUnavailable
from tests.kernel.contract.products import all_stored, new_product
from tests.kernel.database_settings import engine_for
from tests.kernel.warehouse.domain import Product
from tests.kernel.warehouse.sql import PRODUCT_ROWS, products
from tests.kernel.warehouse.storages import SqlStorage

WRITES = 200
Add = Callable[[AsyncEngine, SqlStorage, Product], Awaitable[None]]


@pytest.fixture(params=["sqlite_file_url", "sqlite_in_memory_url"])
def database_url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(request.param))


class Interrupts:
    """Interrupts statements at random, once a probability is set."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.probability = 0.0
        self._chance = random.Random(1)
        monkeypatch.setattr(SqliteDeadline, "has_passed", lambda _deadline: self._are_due())

    def _are_due(self) -> bool:
        return self._chance.random() < self.probability


@pytest.fixture
def interrupts(monkeypatch: pytest.MonkeyPatch) -> Interrupts:
    return Interrupts(monkeypatch)


@pytest.fixture
async def engine(
    database_url: str, interrupts: Interrupts, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[AsyncEngine]:
    # SQLite counts instructions over all runs of a statement that it keeps, so that with one in
    # between it asks at every end, as it does at times with many in between.
    monkeypatch.setattr(sqlite_deadline, "INSTRUCTIONS_BETWEEN_LOOKS", 1)
    engine = engine_for(database_url)
    yield engine
    await engine.dispose()


async def by_one_write(_engine: AsyncEngine, storage: SqlStorage, item: Product) -> None:
    async with storage.units_of_work.for_writing() as unit:
        unit.products.add(item)
        await unit.commit()


async def by_several_writes(_engine: AsyncEngine, storage: SqlStorage, item: Product) -> None:
    async with storage.units_of_work.for_writing() as unit:
        unit.products.add(item)
        unit.products.add(new_product(item.id.int + 100_000))
        unit.products.remove(new_product(item.id.int + 100_000))
        await unit.commit()


async def after_reading_it(_engine: AsyncEngine, storage: SqlStorage, item: Product) -> None:
    async with storage.units_of_work.for_writing() as unit:
        unit.products.add(item)
        await unit.products.get(item.id)
        await unit.commit()


async def by_a_session(engine: AsyncEngine, _storage: SqlStorage, item: Product) -> None:
    async with AsyncSession(engine) as session:
        await session.execute(insert(products).values(PRODUCT_ROWS.dump(item)))
        await session.commit()


@pytest.mark.parametrize("add", [by_one_write, by_several_writes, after_reading_it, by_a_session])
async def test_a_change_that_is_reported_as_failed_is_not_stored(
    engine: AsyncEngine, sql_storage: SqlStorage, add: Add, interrupts: Interrupts
) -> None:
    interrupts.probability = 0.01
    made, failed = set(), set()

    async def attempt(item: Product) -> None:
        COMMITS.set(Commits())
        try:
            await add(engine, sql_storage, item)
        except (StorageUnavailable, DBAPIError):
            assert COMMITS.get().outcome is Outcome.NOTHING
            failed.add(item.id)
        else:
            made.add(item.id)

    # Some alone, and some in one batch.
    for number in range(0, WRITES, 4):
        await asyncio.create_task(attempt(new_product(number)))
        await asyncio.gather(*(attempt(new_product(number + n)) for n in (1, 2, 3)))

    interrupts.probability = 0.0
    assert failed
    assert made
    assert {item.id for item in await all_stored(sql_storage.units_of_work)} == made
