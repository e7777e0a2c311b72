"""The changes of one unit are stored together or not at all."""

import pytest

from application.kernel.errors import AlreadyExists, StaleVersion
from tests.kernel.contract.products import all_stored, new_product, next_version, store
from tests.kernel.warehouse.application import UnitsOfWork


async def test_all_changes_are_stored_by_one_commit(units_of_work: UnitsOfWork) -> None:
    changed, removed, added = new_product(1), new_product(2), new_product(3)
    await store(units_of_work, changed, removed)

    async with units_of_work.for_writing() as unit:
        unit.products.add(added)
        unit.products.update(next_version(changed))
        unit.products.remove(removed)
        await unit.commit()

    assert await all_stored(units_of_work) == [next_version(changed), added]


async def test_a_rejected_last_change_undoes_the_ones_before(units_of_work: UnitsOfWork) -> None:
    changed, removed, taken = new_product(1), new_product(2), new_product(3)
    await store(units_of_work, changed, removed, taken)

    with pytest.raises(AlreadyExists):
        async with units_of_work.for_writing() as unit:
            unit.products.update(next_version(changed))
            unit.products.remove(removed)
            unit.products.add(new_product(4))
            unit.products.add(new_product(3, "taken"))
            await unit.commit()

    assert await all_stored(units_of_work) == [changed, removed, taken]


async def test_a_rejected_first_change_stops_the_ones_after(units_of_work: UnitsOfWork) -> None:
    with pytest.raises(StaleVersion):
        async with units_of_work.for_writing() as unit:
            unit.products.remove(new_product(1))
            unit.products.add(new_product(2))
            await unit.commit()

    assert await all_stored(units_of_work) == []


async def test_a_rejected_change_undoes_those_that_the_unit_has_seen(
    units_of_work: UnitsOfWork,
) -> None:
    taken = new_product(2)
    await store(units_of_work, taken)

    with pytest.raises(AlreadyExists):
        async with units_of_work.for_writing() as unit:
            unit.products.add(new_product(1))
            await unit.products.page(None, 10)
            unit.products.add(new_product(2, "taken"))
            await unit.commit()

    assert await all_stored(units_of_work) == [taken]


async def test_several_steps_of_one_item_are_made_in_their_order(
    units_of_work: UnitsOfWork,
) -> None:
    first = new_product(1, "first")
    second = next_version(first, "second")
    third = next_version(second, "third")

    async with units_of_work.for_writing() as unit:
        unit.products.add(first)
        unit.products.update(second)
        unit.products.remove(second)
        unit.products.add(first)
        unit.products.update(second)
        unit.products.update(third)
        await unit.commit()

    assert await all_stored(units_of_work) == [third]


async def test_a_unit_can_commit_more_than_once(units_of_work: UnitsOfWork) -> None:
    item = new_product()

    async with units_of_work.for_writing() as unit:
        unit.products.add(item)
        await unit.commit()
        unit.products.update(next_version(item))
        await unit.commit()

    assert await all_stored(units_of_work) == [next_version(item)]


async def test_a_unit_that_reads_its_own_writes_can_commit_more_than_once(
    units_of_work: UnitsOfWork,
) -> None:
    item = new_product()

    async with units_of_work.for_writing() as unit:
        unit.products.add(item)
        assert await unit.products.get(item.id) == item
        await unit.commit()
        unit.products.update(next_version(item))
        assert await unit.products.get(item.id) == next_version(item)
        await unit.commit()

    assert await all_stored(units_of_work) == [next_version(item)]
