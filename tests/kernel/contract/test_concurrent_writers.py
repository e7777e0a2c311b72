"""Many write at the same time, and no update is lost."""

import asyncio
from uuid import UUID

import pytest

from application.kernel.errors import StaleVersion, VersionMismatch
from tests.kernel.contract.products import all_stored, new_product, next_version, store, stored
from tests.kernel.counting_ids import CountingIds
from tests.kernel.fixed_clock import FixedClock
from tests.kernel.warehouse.application import ProductService, UnitsOfWork
from tests.kernel.warehouse.domain import Product


@pytest.mark.parametrize("writers", [2, 20])
async def test_one_of_several_concurrent_changes_wins(
    units_of_work: UnitsOfWork, writers: int
) -> None:
    item = new_product()
    await store(units_of_work, item)
    all_have_read = asyncio.Barrier(writers)

    async def change(name: str) -> Product:
        async with units_of_work.for_writing() as unit:
            known = await unit.products.get(item.id)
            assert known
            await all_have_read.wait()
            changed = next_version(known, name)
            unit.products.update(changed)
            await unit.commit()
        return changed

    outcomes = await asyncio.gather(
        *(change(f"name {n}") for n in range(writers)), return_exceptions=True
    )

    changed = [outcome for outcome in outcomes if isinstance(outcome, Product)]
    rejected = [outcome for outcome in outcomes if isinstance(outcome, StaleVersion)]
    assert (len(changed), len(rejected)) == (1, writers - 1)
    assert await stored(units_of_work, item.id) == changed[0]


@pytest.mark.parametrize("writers", [2, 20])
async def test_one_of_several_concurrent_changes_that_were_read_back_wins(
    units_of_work: UnitsOfWork, writers: int
) -> None:
    item = new_product()
    await store(units_of_work, item)

    async def change(name: str) -> Product | None:
        async with units_of_work.for_writing() as unit:
            unit.products.update(next_version(item, name))
            changed = await unit.products.get(item.id)
            await unit.commit()
        return changed

    outcomes = await asyncio.gather(
        *(change(f"name {n}") for n in range(writers)), return_exceptions=True
    )

    changed = [outcome for outcome in outcomes if isinstance(outcome, Product)]
    rejected = [outcome for outcome in outcomes if isinstance(outcome, StaleVersion)]
    assert (len(changed), len(rejected)) == (1, writers - 1)
    assert await stored(units_of_work, item.id) == changed[0]


async def test_a_concurrent_change_and_removal_do_not_both_happen(
    units_of_work: UnitsOfWork,
) -> None:
    items = [new_product(number) for number in range(1, 11)]
    await store(units_of_work, *items)

    async def change(item: Product) -> None:
        async with units_of_work.for_writing() as unit:
            unit.products.update(next_version(item))
            await unit.commit()

    async def remove(item: Product) -> None:
        async with units_of_work.for_writing() as unit:
            unit.products.remove(item)
            await unit.commit()

    outcomes = await asyncio.gather(
        *(action(item) for item in items for action in (change, remove)), return_exceptions=True
    )

    changes, removals = outcomes[::2], outcomes[1::2]
    for changed, removed in zip(changes, removals, strict=True):
        assert (changed is None) != (removed is None)
        assert isinstance(changed or removed, StaleVersion)
    left = [next_version(i) for i, changed in zip(items, changes, strict=True) if changed is None]
    assert await all_stored(units_of_work) == left


async def test_fifty_concurrent_adders_are_all_stored(units_of_work: UnitsOfWork) -> None:
    items = [new_product(number) for number in range(1, 51)]

    await asyncio.gather(*(store(units_of_work, item) for item in items))

    assert await all_stored(units_of_work) == items


async def test_the_failure_of_some_fails_no_other_that_commits_at_the_same_time(
    units_of_work: UnitsOfWork,
) -> None:
    taken = [new_product(number) for number in range(1, 50, 2)]
    await store(units_of_work, *taken)

    async def store_two(number: int) -> None:
        await store(units_of_work, new_product(100 + number), new_product(number))

    outcomes = await asyncio.gather(
        *(store_two(number) for number in range(1, 51)), return_exceptions=True
    )

    assert [n for n, outcome in enumerate(outcomes, 1) if outcome is None] == [*range(2, 51, 2)]
    expected = [*range(1, 51), *range(102, 151, 2)]
    assert [item.id.int for item in await all_stored(units_of_work)] == expected


async def test_twenty_that_retry_all_succeed(units_of_work: UnitsOfWork) -> None:
    service = ProductService(units_of_work, FixedClock(), CountingIds())
    item_id = (await service.create("0", None)).id

    async def count(item_id: UUID) -> None:
        while True:
            item = await service.get(item_id)
            try:
                await service.change(item_id, name=str(int(item.name) + 1), expected=[item.version])
            except VersionMismatch:
                continue
            return

    await asyncio.gather(*(count(item_id) for _ in range(20)))

    counted = await service.get(item_id)
    assert (counted.name, counted.version) == ("20", 21)
