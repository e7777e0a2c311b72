"""A unit whose task is cancelled, at whatever moment, is stored as a whole or not at all."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress

import pytest

from application.errors import ApplicationError
from application.unit_of_work import UnitOfWork, UnitsOfWork
from tests.contract.example_items import all_stored, new_item, store

Look = Callable[[UnitOfWork], Awaitable[object]]


async def no_look(unit: UnitOfWork) -> None:
    """The unit never reads again, so that its writes wait for the commit."""


async def look(unit: UnitOfWork) -> None:
    await unit.example_items.page(None, 10)


looking_or_not = pytest.mark.parametrize("look", [no_look, look])


def moments() -> Iterable[Callable[[], Awaitable[object]]]:
    """Ways to wait, from not at all to longer than a commit takes."""
    for steps in range(12):
        yield lambda steps=steps: wait_steps(steps)
    for tenths in range(1, 60, 2):
        yield lambda tenths=tenths: asyncio.sleep(tenths / 10_000)


async def wait_steps(steps: int) -> None:
    for _ in range(steps):
        await asyncio.sleep(0)


async def cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


@looking_or_not
async def test_a_unit_that_is_cancelled_before_its_commit_leaves_nothing(
    units_of_work: UnitsOfWork, look: Look
) -> None:
    at_work = asyncio.Event()

    async def work() -> None:
        async with units_of_work.for_writing() as unit:
            unit.example_items.add(new_item(1))
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
    for attempt, wait in enumerate(moments()):
        one, other = new_item(2 * attempt + 1), new_item(2 * attempt + 2)

        async def work(one=one, other=other) -> None:  # type: ignore[no-untyped-def]
            async with units_of_work.for_writing() as unit:
                unit.example_items.add(one)
                unit.example_items.add(other)
                await look(unit)
                await unit.commit()

        task = asyncio.create_task(work())
        await wait()
        await cancel(task)

    stored = {item.id.int for item in await all_stored(units_of_work)}
    assert all((number in stored) == (number + 1 in stored) for number in range(1, 2 * attempt, 2))


async def test_a_commit_after_a_read_that_was_cancelled_stores_all_or_nothing(
    units_of_work: UnitsOfWork,
) -> None:
    for attempt, wait in enumerate(moments()):
        async with units_of_work.for_writing() as unit:
            unit.example_items.add(new_item(2 * attempt + 1))
            unit.example_items.add(new_item(2 * attempt + 2))
            task = asyncio.create_task(look(unit))
            await wait()
            await cancel(task)
            with suppress(ApplicationError):
                await unit.commit()

    stored = {item.id.int for item in await all_stored(units_of_work)}
    assert all((number in stored) == (number + 1 in stored) for number in range(1, 2 * attempt, 2))


@looking_or_not
async def test_units_work_on_after_many_were_cancelled(
    units_of_work: UnitsOfWork, look: Look
) -> None:
    async def work(number: int) -> None:
        async with units_of_work.for_writing() as unit:
            unit.example_items.add(new_item(number))
            await look(unit)
            await unit.commit()

    number = 0
    for wait in moments():
        tasks = [asyncio.create_task(work(number := number + 1)) for _ in range(3)]
        await wait()
        await asyncio.gather(*(cancel(task) for task in tasks))

    afterwards = [new_item(1000 + n) for n in range(10)]
    await asyncio.gather(*(store(units_of_work, item) for item in afterwards))
    pages = await asyncio.gather(*(all_stored(units_of_work) for _ in range(10)))
    assert all(page[-10:] == afterwards for page in pages)


async def test_the_cancellation_of_one_fails_no_other_that_commits_at_the_same_time(
    units_of_work: UnitsOfWork,
) -> None:
    tasks = [asyncio.create_task(store(units_of_work, new_item(n))) for n in range(1, 21)]
    await asyncio.sleep(0.001)
    for task in tasks[::2]:
        task.cancel()

    outcomes = await asyncio.gather(*tasks, return_exceptions=True)

    assert outcomes[1::2] == [None] * 10
    stored = {item.id.int for item in await all_stored(units_of_work)}
    assert stored >= {*range(2, 21, 2)}
