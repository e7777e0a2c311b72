"""A unit of work sees what it wrote itself."""

from tests.kernel.contract.products import new_product, next_version, store
from tests.kernel.warehouse.application import UnitsOfWork


async def test_an_added_item_is_found(units_of_work: UnitsOfWork) -> None:
    item = new_product()

    async with units_of_work.for_writing() as unit:
        assert await unit.products.get(item.id) is None
        unit.products.add(item)
        assert await unit.products.get(item.id) == item


async def test_an_updated_item_is_found_as_it_is_now(units_of_work: UnitsOfWork) -> None:
    item = new_product()
    await store(units_of_work, item)

    async with units_of_work.for_writing() as unit:
        unit.products.update(next_version(item))
        assert await unit.products.get(item.id) == next_version(item)


async def test_a_removed_item_is_not_found(units_of_work: UnitsOfWork) -> None:
    item = new_product()
    await store(units_of_work, item)

    async with units_of_work.for_writing() as unit:
        unit.products.remove(item)
        assert await unit.products.get(item.id) is None


async def test_pages_show_own_writes(units_of_work: UnitsOfWork) -> None:
    changed, removed, kept = new_product(1), new_product(3), new_product(5)
    await store(units_of_work, changed, removed, kept)

    async with units_of_work.for_writing() as unit:
        unit.products.add(new_product(2))
        unit.products.add(new_product(6))
        unit.products.update(next_version(changed))
        unit.products.remove(removed)
        first = await unit.products.page(None, 3)
        second = await unit.products.page(first.next_after, 3)

    assert list(first.items) == [next_version(changed), new_product(2), kept]
    assert first.next_after == kept.id
    assert (list(second.items), second.next_after) == ([new_product(6)], None)


async def test_writes_between_two_reads_are_seen_by_the_second(
    units_of_work: UnitsOfWork,
) -> None:
    async with units_of_work.for_writing() as unit:
        for number in range(1, 4):
            unit.products.add(new_product(number))
            page = await unit.products.page(None, 10)
            assert len(page.items) == number


async def test_what_was_read_is_committed(units_of_work: UnitsOfWork) -> None:
    item = new_product()
    async with units_of_work.for_writing() as unit:
        unit.products.add(item)
        seen = await unit.products.get(item.id)
        assert seen
        unit.products.update(next_version(seen))
        await unit.commit()

    async with units_of_work.for_reading() as reading:
        assert await reading.products.get(item.id) == next_version(item)
