"""SQLAlchemy's own sessions and units of work can use the same engine at the same time."""

import asyncio
from collections.abc import Sequence

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker
from sqlalchemy.pool import QueuePool

from tests.kernel.contract.moments import cancel, moments
from tests.kernel.contract.products import all_stored, new_product, store
from tests.kernel.warehouse.application import UnitsOfWork
from tests.kernel.warehouse.domain import Product
from tests.kernel.warehouse.sql import PRODUCT_ROWS, products
from tests.kernel.warehouse.storages import SqlStorage

Sessions = async_sessionmaker[AsyncSession]


@pytest.fixture
def units_of_work(sql_storage: SqlStorage) -> UnitsOfWork:
    return sql_storage.units_of_work


@pytest.fixture
def sessions(engine: AsyncEngine, sql_storage: SqlStorage) -> Sessions:
    return async_sessionmaker(engine, expire_on_commit=False)


async def add(session: AsyncSession, item: Product) -> None:
    await session.execute(insert(products).values(PRODUCT_ROWS.dump(item)))


async def all_in(session: AsyncSession) -> Sequence[Product]:
    rows = await session.execute(select(*PRODUCT_ROWS.columns).order_by(products.c.id))
    return [PRODUCT_ROWS.load(row) for row in rows]


async def all_in_a_session(sessions: Sessions) -> Sequence[Product]:
    async with sessions() as session:
        return await all_in(session)


async def test_a_unit_of_work_finds_what_a_session_committed(
    units_of_work: UnitsOfWork, sessions: Sessions
) -> None:
    async with sessions() as session:
        await add(session, new_product())
        await session.commit()

    assert await all_stored(units_of_work) == [new_product()]


async def test_a_session_finds_what_a_unit_of_work_committed(
    units_of_work: UnitsOfWork, sessions: Sessions
) -> None:
    await store(units_of_work, new_product())

    assert await all_in_a_session(sessions) == [new_product()]


async def test_a_session_that_is_rolled_back_leaves_nothing(
    units_of_work: UnitsOfWork, sessions: Sessions
) -> None:
    async with sessions() as session:
        await add(session, new_product(1))
        await session.rollback()
        await add(session, new_product(2))
        await session.commit()

    assert await all_stored(units_of_work) == [new_product(2)]


async def test_a_session_that_ends_without_a_commit_leaves_nothing(
    units_of_work: UnitsOfWork, sessions: Sessions
) -> None:
    async with sessions() as session:
        await add(session, new_product())

    assert await all_stored(units_of_work) == []


async def test_a_session_that_ends_with_an_error_leaves_nothing(
    units_of_work: UnitsOfWork, sessions: Sessions
) -> None:
    with pytest.raises(ZeroDivisionError):
        async with sessions.begin() as session:
            await add(session, new_product())
            raise ZeroDivisionError

    assert await all_stored(units_of_work) == []


async def test_a_savepoint_is_undone_alone(units_of_work: UnitsOfWork, sessions: Sessions) -> None:
    async with sessions.begin() as session:
        await add(session, new_product(1))
        async with session.begin_nested() as savepoint:
            await add(session, new_product(2))
            await savepoint.rollback()
        await add(session, new_product(3))

    assert await all_stored(units_of_work) == [new_product(1), new_product(3)]


async def test_units_of_work_do_not_see_what_a_session_did_not_commit(
    units_of_work: UnitsOfWork, sessions: Sessions
) -> None:
    async with sessions() as session:
        await add(session, new_product())
        # A database may make the other wait for the end of the session, which is no view either.
        other = asyncio.create_task(_all(units_of_work))
        await asyncio.wait([other], timeout=0.2)

    assert await other == []


async def test_a_session_does_not_see_what_a_unit_of_work_did_not_commit(
    units_of_work: UnitsOfWork, sessions: Sessions
) -> None:
    async with units_of_work.for_writing() as unit:
        unit.products.add(new_product())
        await unit.products.get(new_product().id)
        other = asyncio.create_task(all_in_a_session(sessions))
        await asyncio.wait([other], timeout=0.2)

    assert await other == []


async def test_sessions_do_not_see_one_anothers_uncommitted_work(sessions: Sessions) -> None:
    async with sessions() as session:
        await add(session, new_product())
        other = asyncio.create_task(all_in_a_session(sessions))
        await asyncio.wait([other], timeout=0.2)

    assert await other == []


async def test_sessions_do_not_undo_one_anothers_work(
    units_of_work: UnitsOfWork, sessions: Sessions
) -> None:
    async def add_one(number: int) -> None:
        async with sessions() as session:
            await add(session, new_product(number))
            await asyncio.sleep(0.001)
            if number % 2:
                await session.rollback()
            else:
                await session.commit()

    await asyncio.gather(*(add_one(number) for number in range(20)))

    assert await all_stored(units_of_work) == [new_product(number) for number in range(0, 20, 2)]


async def test_sessions_and_units_of_work_write_at_the_same_time(
    units_of_work: UnitsOfWork, sessions: Sessions
) -> None:
    async def add_in_a_session(number: int) -> None:
        async with sessions.begin() as session:
            await add(session, new_product(number))

    await asyncio.gather(
        *(add_in_a_session(number) for number in range(0, 20, 2)),
        *(store(units_of_work, new_product(number)) for number in range(1, 20, 2)),
    )

    assert await all_stored(units_of_work) == [new_product(number) for number in range(20)]


async def test_a_cancelled_session_does_not_affect_others(
    engine: AsyncEngine, units_of_work: UnitsOfWork, sessions: Sessions
) -> None:
    await store(units_of_work, new_product())

    async def work() -> None:
        async with sessions() as session:
            for _ in range(100):
                await session.execute(text("SELECT 1"))

    for moment in moments():
        task = asyncio.create_task(work())
        await moment()
        await cancel(task)

    assert isinstance(engine.pool, QueuePool)
    assert engine.pool.checkedout() == 0
    assert await all_stored(units_of_work) == [new_product()]
    assert await all_in_a_session(sessions) == [new_product()]


async def _all(units_of_work: UnitsOfWork) -> Sequence[Product]:
    return await all_stored(units_of_work)
