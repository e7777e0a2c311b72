"""No other unit sees changes that are not committed."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import pytest

from tests.kernel.contract.products import all_stored, new_product, next_version, store
from tests.kernel.warehouse.application import UnitOfWork, UnitsOfWork
from tests.kernel.warehouse.domain import Product

Look = Callable[[UnitOfWork], Awaitable[object]]
CHANGED, REMOVED, ADDED = new_product(1), new_product(2), new_product(3)
BEFORE, AFTER = [CHANGED, REMOVED], [next_version(CHANGED), ADDED]


async def no_look(unit: UnitOfWork) -> None:
    """The unit never reads again, so that its writes wait for the commit."""


async def look(unit: UnitOfWork) -> None:
    await unit.products.page(None, 10)


looking_or_not = pytest.mark.parametrize("look", [no_look, look])


def make_changes(unit: UnitOfWork) -> None:
    unit.products.update(next_version(CHANGED))
    unit.products.remove(REMOVED)
    unit.products.add(ADDED)


async def all_seen_for_writing(units_of_work: UnitsOfWork) -> Sequence[Product]:
    async with units_of_work.for_writing() as unit:
        return (await unit.products.page(None, 10)).items


@pytest.mark.parametrize("others_look", [all_stored, all_seen_for_writing])
@looking_or_not
async def test_uncommitted_work_is_invisible_to_others(
    units_of_work: UnitsOfWork,
    look: Look,
    others_look: Callable[[UnitsOfWork], Awaitable[Sequence[Product]]],
) -> None:
    await store(units_of_work, CHANGED, REMOVED)

    async def seen_by_another() -> Sequence[Product]:
        return await others_look(units_of_work)

    async with units_of_work.for_writing() as unit:
        make_changes(unit)
        await look(unit)
        # A storage may make the other wait for the end of this unit, which is no view either.
        other = asyncio.create_task(seen_by_another())
        await asyncio.wait([other], timeout=0.2)

    assert await other == BEFORE
    assert await all_stored(units_of_work) == BEFORE


@looking_or_not
async def test_committed_work_is_seen_at_once_and_as_a_whole(
    units_of_work: UnitsOfWork, look: Look
) -> None:
    await store(units_of_work, CHANGED, REMOVED)
    done = False
    seen = []

    async def watch() -> None:
        while not done:
            seen.append(await all_stored(units_of_work))
            await asyncio.sleep(0)

    watching = asyncio.create_task(watch())
    async with units_of_work.for_writing() as unit:
        make_changes(unit)
        await look(unit)
        await asyncio.sleep(0.01)
        await unit.commit()
        assert await asyncio.wait_for(all_stored(units_of_work), 1) == AFTER
    done = True
    await watching

    assert all(items in (BEFORE, AFTER) for items in seen)


async def test_a_unit_does_not_see_anothers_work_that_is_not_committed(
    units_of_work: UnitsOfWork,
) -> None:
    async with units_of_work.for_writing() as one, units_of_work.for_writing() as other:
        one.products.add(new_product(1))
        other.products.add(new_product(2))
        page = await asyncio.wait_for(other.products.page(None, 10), 1)

    assert list(page.items) == [new_product(2)]


async def test_the_rollback_of_one_unit_undoes_nothing_of_another(
    units_of_work: UnitsOfWork,
) -> None:
    async with units_of_work.for_writing() as one:
        one.products.add(new_product(1))
        async with units_of_work.for_writing() as other:
            other.products.add(new_product(2))
            await other.commit()

    assert await all_stored(units_of_work) == [new_product(2)]


async def test_units_wait_for_one_that_holds_its_work_open(units_of_work: UnitsOfWork) -> None:
    async with units_of_work.for_writing() as unit:
        unit.products.add(new_product(1))
        await unit.products.get(new_product(1).id)
        others = [
            asyncio.create_task(store(units_of_work, new_product(number))) for number in range(2, 8)
        ]
        await asyncio.wait(others, timeout=0.1)
        await unit.commit()

    await asyncio.gather(*others)
    assert len(await all_stored(units_of_work)) == 7
