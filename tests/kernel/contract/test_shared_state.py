"""What a storage hands out is the reader's own."""

from typing import cast

from tests.kernel.contract.products import all_stored, new_product, next_version, store
from tests.kernel.database_settings import engine_for
from tests.kernel.warehouse.application import UnitsOfWork
from tests.kernel.warehouse.domain import Product
from tests.kernel.warehouse.storages import MemoryStorage, SqlStorage


async def test_altering_a_page_alters_nothing_stored(units_of_work: UnitsOfWork) -> None:
    await store(units_of_work, new_product(1), new_product(2))

    page = cast(list[Product], await all_stored(units_of_work))
    page.clear()

    assert await all_stored(units_of_work) == [new_product(1), new_product(2)]


async def test_a_change_of_an_item_is_not_stored_by_itself(units_of_work: UnitsOfWork) -> None:
    await store(units_of_work, new_product())

    async with units_of_work.for_writing() as unit:
        item = await unit.products.get(new_product().id)
        assert item
        next_version(item)
        await unit.commit()

    assert await all_stored(units_of_work) == [new_product()]


async def test_a_page_that_was_read_does_not_follow_later_changes(
    units_of_work: UnitsOfWork,
) -> None:
    await store(units_of_work, new_product(1))
    page = await all_stored(units_of_work)

    await store(units_of_work, new_product(2))

    assert page == [new_product(1)]


async def test_two_storages_in_memory_share_nothing() -> None:
    one, other = MemoryStorage(), MemoryStorage()

    await store(one.units_of_work, new_product())

    assert await all_stored(other.units_of_work) == []


async def test_two_sqlite_databases_in_memory_share_nothing(sqlite_in_memory_url: str) -> None:
    one, other = (SqlStorage(engine_for(sqlite_in_memory_url)) for _ in range(2))
    await one.open()
    await other.open()

    await store(one.units_of_work, new_product())

    assert await all_stored(other.units_of_work) == []
    await one.close()
    await other.close()
