"""An id is taken once."""

import asyncio
from uuid import UUID

import pytest

from application.kernel.errors import AlreadyExists
from tests.kernel.contract.products import all_stored, new_product, store, stored
from tests.kernel.warehouse.application import UnitsOfWork


async def test_a_taken_id_is_rejected(units_of_work: UnitsOfWork) -> None:
    first = new_product(name="first")
    await store(units_of_work, first)

    with pytest.raises(AlreadyExists) as rejection:
        await store(units_of_work, new_product(name="second"))

    assert rejection.value.id == first.id
    assert await stored(units_of_work, first.id) == first


async def test_an_id_is_rejected_twice_in_one_unit(units_of_work: UnitsOfWork) -> None:
    with pytest.raises(AlreadyExists):
        await store(units_of_work, new_product(name="first"), new_product(name="second"))

    assert await all_stored(units_of_work) == []


async def test_the_rejection_names_the_item_among_several(units_of_work: UnitsOfWork) -> None:
    await store(units_of_work, new_product(2))

    with pytest.raises(AlreadyExists) as rejection:
        await store(units_of_work, new_product(1), new_product(2), new_product(3))

    assert rejection.value.id == UUID(int=2)


async def test_an_unknown_item_can_take_the_id_of_one_removed_in_the_same_unit(
    units_of_work: UnitsOfWork,
) -> None:
    first, second = new_product(name="first"), new_product(name="second")
    await store(units_of_work, first)

    async with units_of_work.for_writing() as unit:
        unit.products.remove(first)
        unit.products.add(second)
        await unit.commit()

    assert await stored(units_of_work, first.id) == second


async def test_one_of_two_concurrent_adders_gets_the_id(units_of_work: UnitsOfWork) -> None:
    outcomes = await asyncio.gather(
        *(store(units_of_work, new_product(name=f"item {n}")) for n in range(10)),
        return_exceptions=True,
    )

    winners = [n for n, outcome in enumerate(outcomes) if outcome is None]
    losers = [outcome for outcome in outcomes if isinstance(outcome, AlreadyExists)]
    assert (len(winners), len(losers)) == (1, 9)
    found = await stored(units_of_work, UUID(int=1))
    assert found
    assert found.name == f"item {winners[0]}"
