"""A unit whose task is cancelled, at whatever moment, is stored as a whole or not at all."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest

from application.kernel.errors import ApplicationError
from tests.kernel.contract.moments import cancel, moments
from tests.kernel.contract.products import all_stored, new_product, store
from tests.kernel.warehouse.application import UnitOfWork, UnitsOfWork

Look = Callable[[UnitOfWork], Awaitable[object]]


async def no_look(unit: UnitOfWork) -> None:
    """The unit never reads again, so that its writes wait for the commit."""


async def look(unit: UnitOfWork) -> None:
    await unit.products.page(None, 10)


looking_or_not = pytest.mark.parametrize("look", [no_look, look])


def add_pair(unit: UnitOfWork, number: int) -> None:
    unit.products.add(new_product(2 * number))
    unit.products.add(new_product(2 * number + 1))


async def no_pair_is_divided(units_of_work: UnitsOfWork) -> bool:
    counts = Counter(item.id.int // 2 for item in await all_stored(units_of_work))
    return set(counts.values()) <= {2}


@looking_or_not
async def test_a_unit_that_is_cancelled_before_its_commit_leaves_nothing(
    units_of_work: UnitsOfWork, look: Look
) -> None:
    at_work = asyncio.Event()

    async def work() -> None:
        async with units_of_work.for_writing() as unit:
            unit.products.add(new_product(1))
            await look(unit)
            at_work.set()
            await asyncio.sleep(60)
            await unit.commit()

    task = asyncio.create_task(work())
    await at_work.wait()
    await cancel(task)

    assert await all_stored(units_of_work) == []


@looking_or_not
async def test_a_unit_that_is_cancelled_at_any_moment_leaves_all_or_nothing(
    units_of_work: UnitsOfWork, look: Look
) -> None:
    async def work(number: int) -> None:
        async with units_of_work.for_writing() as unit:
            add_pair(unit, number)
            await look(unit)
            await unit.commit()

    for number, moment in enumerate(moments()):
        task = asyncio.create_task(work(number))
        await moment()
        await cancel(task)

    assert await no_pair_is_divided(units_of_work)


async def test_a_commit_after_a_read_that_was_cancelled_stores_all_or_nothing(
    units_of_work: UnitsOfWork,
) -> None:
    for number, moment in enumerate(moments()):
        async with units_of_work.for_writing() as unit:
            add_pair(unit, number)
            task = asyncio.ensure_future(look(unit))
            await moment()
            await cancel(task)
            with suppress(ApplicationError):
                await unit.commit()

    assert await no_pair_is_divided(units_of_work)


@looking_or_not
async def test_units_work_on_after_many_were_cancelled(
    units_of_work: UnitsOfWork, look: Look
) -> None:
    async def work(number: int) -> None:
        async with units_of_work.for_writing() as unit:
            unit.products.add(new_product(number))
            await look(unit)
            await unit.commit()

    for number, moment in enumerate(moments()):
        tasks = [asyncio.create_task(work(3 * number + n)) for n in range(3)]
        await moment()
        await asyncio.gather(*(cancel(task) for task in tasks))

    afterwards = [new_product(1000 + n) for n in range(10)]
    await asyncio.gather(*(store(units_of_work, item) for item in afterwards))
    pages = await asyncio.gather(*(all_stored(units_of_work) for _ in range(10)))
    assert all(page[-10:] == afterwards for page in pages)


async def test_the_cancellation_of_one_fails_no_other_that_commits_at_the_same_time(
    units_of_work: UnitsOfWork,
) -> None:
    tasks = [asyncio.create_task(store(units_of_work, new_product(n))) for n in range(1, 21)]
    await asyncio.sleep(0.001)
    for task in tasks[::2]:
        task.cancel()

    outcomes = await asyncio.gather(*tasks, return_exceptions=True)

    assert outcomes[1::2] == [None] * 10
    stored = {item.id.int for item in await all_stored(units_of_work)}
    assert stored >= {*range(2, 21, 2)}
