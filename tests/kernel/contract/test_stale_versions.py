"""A change is meant for one version, and made to no other."""

from collections.abc import Callable

import pytest

from application.kernel.errors import StaleVersion
from application.kernel.repository import Repository
from tests.kernel.contract.products import all_stored, new_product, next_version, store, stored
from tests.kernel.warehouse.application import UnitsOfWork
from tests.kernel.warehouse.domain import Product

Change = Callable[[Repository[Product], Product], None]


def update(items: Repository[Product], known: Product) -> None:
    items.update(next_version(known, "mine"))


def remove(items: Repository[Product], known: Product) -> None:
    items.remove(known)


either_change = pytest.mark.parametrize("change", [update, remove])


@either_change
async def test_a_version_that_is_no_longer_stored_is_stale(
    units_of_work: UnitsOfWork, change: Change
) -> None:
    item = new_product()
    theirs = next_version(item, "theirs")
    await store(units_of_work, item)
    async with units_of_work.for_writing() as unit:
        unit.products.update(theirs)
        await unit.commit()

    with pytest.raises(StaleVersion) as rejection:
        async with units_of_work.for_writing() as unit:
            change(unit.products, item)
            await unit.commit()

    assert rejection.value.id == item.id
    assert await stored(units_of_work, item.id) == theirs


@either_change
async def test_a_version_that_is_not_stored_yet_is_stale(
    units_of_work: UnitsOfWork, change: Change
) -> None:
    item = new_product()
    await store(units_of_work, item)

    with pytest.raises(StaleVersion):
        async with units_of_work.for_writing() as unit:
            change(unit.products, next_version(item))
            await unit.commit()

    assert await stored(units_of_work, item.id) == item


@either_change
async def test_an_item_that_is_gone_is_stale(units_of_work: UnitsOfWork, change: Change) -> None:
    item = new_product()

    with pytest.raises(StaleVersion):
        async with units_of_work.for_writing() as unit:
            change(unit.products, item)
            await unit.commit()

    assert await all_stored(units_of_work) == []


@either_change
async def test_a_second_change_to_the_same_version_in_one_unit_is_stale(
    units_of_work: UnitsOfWork, change: Change
) -> None:
    item = new_product()
    await store(units_of_work, item)

    with pytest.raises(StaleVersion):
        async with units_of_work.for_writing() as unit:
            unit.products.update(next_version(item))
            change(unit.products, item)
            await unit.commit()

    assert await stored(units_of_work, item.id) == item


@either_change
async def test_a_change_after_ones_own_removal_is_stale(
    units_of_work: UnitsOfWork, change: Change
) -> None:
    item = new_product()
    await store(units_of_work, item)

    with pytest.raises(StaleVersion):
        async with units_of_work.for_writing() as unit:
            unit.products.remove(item)
            change(unit.products, item)
            await unit.commit()

    assert await stored(units_of_work, item.id) == item


async def test_a_stale_version_shows_when_the_unit_reads_again(
    units_of_work: UnitsOfWork,
) -> None:
    item = new_product()

    async with units_of_work.for_writing() as unit:
        unit.products.remove(item)
        with pytest.raises(StaleVersion):
            await unit.products.get(item.id)
