"""Nothing is stored but by a commit."""

from collections.abc import Awaitable, Callable

import pytest

from tests.kernel.contract.products import all_stored, new_product, next_version, store
from tests.kernel.warehouse.application import UnitOfWork, UnitsOfWork

Look = Callable[[UnitOfWork], Awaitable[object]]


async def no_look(unit: UnitOfWork) -> None:
    """The unit never reads again, so that its writes wait for the commit."""


async def look(unit: UnitOfWork) -> None:
    await unit.products.page(None, 10)


looking_or_not = pytest.mark.parametrize("look", [no_look, look])


@looking_or_not
async def test_rolls_back_uncommitted_work_by_default(
    units_of_work: UnitsOfWork, look: Look
) -> None:
    kept, changed, removed = new_product(1), new_product(2), new_product(3)
    await store(units_of_work, kept, changed, removed)

    async with units_of_work.for_writing() as unit:
        unit.products.add(new_product(4))
        unit.products.update(next_version(changed))
        unit.products.remove(removed)
        await look(unit)

    assert await all_stored(units_of_work) == [kept, changed, removed]


@looking_or_not
async def test_rolls_back_on_an_error_and_lets_it_through(
    units_of_work: UnitsOfWork, look: Look
) -> None:
    error = ZeroDivisionError()

    with pytest.raises(ZeroDivisionError) as raised:
        async with units_of_work.for_writing() as unit:
            unit.products.add(new_product())
            await look(unit)
            raise error

    assert raised.value is error
    assert await all_stored(units_of_work) == []


@looking_or_not
async def test_an_error_after_the_commit_undoes_nothing(
    units_of_work: UnitsOfWork, look: Look
) -> None:
    item = new_product(1)

    with pytest.raises(ZeroDivisionError):
        async with units_of_work.for_writing() as unit:
            unit.products.add(item)
            await look(unit)
            await unit.commit()
            raise ZeroDivisionError

    assert await all_stored(units_of_work) == [item]


@looking_or_not
async def test_work_after_the_commit_is_rolled_back(units_of_work: UnitsOfWork, look: Look) -> None:
    item = new_product(1)

    async with units_of_work.for_writing() as unit:
        unit.products.add(item)
        await look(unit)
        await unit.commit()
        unit.products.add(new_product(2))
        await look(unit)

    assert await all_stored(units_of_work) == [item]


async def test_a_rolled_back_id_is_free(units_of_work: UnitsOfWork) -> None:
    item = new_product()
    async with units_of_work.for_writing() as unit:
        unit.products.add(item)
        await unit.products.get(item.id)

    await store(units_of_work, item)

    assert await all_stored(units_of_work) == [item]


async def test_an_empty_commit_is_no_error(units_of_work: UnitsOfWork) -> None:
    async with units_of_work.for_writing() as unit:
        await unit.commit()
