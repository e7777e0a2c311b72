"""After a rejected commit a unit of work stores nothing more, and others are not affected."""

from collections.abc import Awaitable, Callable

import pytest

from application.kernel.errors import AlreadyExists
from tests.kernel.contract.products import all_stored, new_product, store
from tests.kernel.warehouse.application import UnitOfWork, UnitsOfWork

Step = Callable[[UnitOfWork], Awaitable[object]]
TAKEN = new_product(2, "taken")


async def commit(unit: UnitOfWork) -> None:
    await unit.commit()


async def read(unit: UnitOfWork) -> None:
    await unit.products.page(None, 10)


async def do_nothing(unit: UnitOfWork) -> None:
    """So that the writes wait for the step after this."""


# The step at which the unit gets the error, and the step before the rejected write.
@pytest.fixture(params=[commit, read])
def rejected_step(request: pytest.FixtureRequest) -> Step:
    step: Step = request.param
    return step


@pytest.fixture(params=[do_nothing, read])
def earlier_step(request: pytest.FixtureRequest) -> Step:
    step: Step = request.param
    return step


async def be_rejected(unit: UnitOfWork, earlier_step: Step, rejected_step: Step) -> None:
    unit.products.add(new_product(1))
    await earlier_step(unit)
    unit.products.add(new_product(2))
    with pytest.raises(AlreadyExists):
        await rejected_step(unit)


@pytest.mark.parametrize("again", [commit, read])
async def test_a_rejected_unit_is_rejected_again(
    units_of_work: UnitsOfWork, earlier_step: Step, rejected_step: Step, again: Step
) -> None:
    await store(units_of_work, TAKEN)

    async with units_of_work.for_writing() as unit:
        await be_rejected(unit, earlier_step, rejected_step)
        with pytest.raises(AlreadyExists):
            await again(unit)

    assert await all_stored(units_of_work) == [TAKEN]


async def test_a_rejected_unit_stores_nothing_that_it_adds_later(
    units_of_work: UnitsOfWork, earlier_step: Step, rejected_step: Step
) -> None:
    await store(units_of_work, TAKEN)

    async with units_of_work.for_writing() as unit:
        await be_rejected(unit, earlier_step, rejected_step)
        unit.products.add(new_product(3))
        with pytest.raises(AlreadyExists):
            await unit.commit()

    assert await all_stored(units_of_work) == [TAKEN]


async def test_the_next_unit_works(
    units_of_work: UnitsOfWork, earlier_step: Step, rejected_step: Step
) -> None:
    await store(units_of_work, TAKEN)
    for _ in range(10):  # more often than there are connections
        async with units_of_work.for_writing() as unit:
            await be_rejected(unit, earlier_step, rejected_step)

    await store(units_of_work, new_product(3))

    assert await all_stored(units_of_work) == [TAKEN, new_product(3)]
