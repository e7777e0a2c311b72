"""Keyset pages: every item once, in creation order, whatever happens between two pages."""

from itertools import pairwise
from uuid import UUID

import pytest

from adapters.kernel.uuid7_source import Uuid7Source
from tests.kernel.contract.products import CREATED, all_stored, new_product, store
from tests.kernel.warehouse.application import UnitsOfWork
from tests.kernel.warehouse.domain import Product


async def page(
    units_of_work: UnitsOfWork, after: UUID | None, limit: int
) -> tuple[list[int], UUID | None]:
    async with units_of_work.for_reading() as unit:
        found = await unit.products.page(after, limit)
    return [item.id.int for item in found.items], found.next_after


async def walk(units_of_work: UnitsOfWork, limit: int) -> list[list[int]]:
    pages = []
    after = None
    while True:
        numbers, after = await page(units_of_work, after, limit)
        pages.append(numbers)
        if after is None:
            return pages


async def store_items(units_of_work: UnitsOfWork, *numbers: int) -> None:
    await store(units_of_work, *(new_product(number) for number in numbers))


async def test_no_item_makes_one_empty_page(units_of_work: UnitsOfWork) -> None:
    assert await page(units_of_work, None, 10) == ([], None)


async def test_items_come_in_the_order_of_their_ids(units_of_work: UnitsOfWork) -> None:
    highest = (1 << 128) - 1
    await store_items(units_of_work, 3, highest, 1 << 64, 2, 1 << 127, 0)

    assert await walk(units_of_work, 10) == [[0, 2, 3, 1 << 64, 1 << 127, highest]]


async def test_ids_that_were_made_in_turn_come_in_creation_order(
    units_of_work: UnitsOfWork,
) -> None:
    ids = Uuid7Source()
    # All have the same time: only the ids determine the order.
    items = [Product.create(ids.new_id(), "tie", None, CREATED) for _ in range(50)]
    await store(units_of_work, *reversed(items))

    assert await all_stored(units_of_work) == items


@pytest.mark.parametrize(
    ("count", "limit", "pages"),
    [
        (1, 1, [[1]]),
        (2, 1, [[1], [2]]),
        (2, 3, [[1, 2]]),
        (3, 3, [[1, 2, 3]]),
        (4, 3, [[1, 2, 3], [4]]),
        (6, 3, [[1, 2, 3], [4, 5, 6]]),
        (7, 3, [[1, 2, 3], [4, 5, 6], [7]]),
    ],
)
async def test_pages_hold_every_item_once(
    units_of_work: UnitsOfWork, count: int, limit: int, pages: list[list[int]]
) -> None:
    await store_items(units_of_work, *range(1, count + 1))

    assert await walk(units_of_work, limit) == pages


async def test_the_next_page_begins_after_the_last_item(units_of_work: UnitsOfWork) -> None:
    await store_items(units_of_work, 1, 2, 3)

    assert await page(units_of_work, None, 2) == ([1, 2], UUID(int=2))
    assert await page(units_of_work, UUID(int=2), 2) == ([3], None)


async def test_a_page_after_the_last_item_is_empty(units_of_work: UnitsOfWork) -> None:
    await store_items(units_of_work, 1, 2)

    assert await page(units_of_work, UUID(int=2), 2) == ([], None)


async def test_a_page_goes_on_after_an_item_that_was_deleted(units_of_work: UnitsOfWork) -> None:
    await store_items(units_of_work, 1, 2, 3, 4)
    _, after = await page(units_of_work, None, 2)
    async with units_of_work.for_writing() as unit:
        unit.products.remove(new_product(2))
        await unit.commit()

    assert await page(units_of_work, after, 2) == ([3, 4], None)


async def test_an_item_before_the_page_does_not_shift_it(units_of_work: UnitsOfWork) -> None:
    await store_items(units_of_work, 10, 20, 30)
    _, after = await page(units_of_work, None, 2)
    await store_items(units_of_work, 5)

    assert await page(units_of_work, after, 2) == ([30], None)


async def test_many_pages_are_in_one_order(units_of_work: UnitsOfWork) -> None:
    await store_items(units_of_work, *range(300, 0, -1))

    pages = await walk(units_of_work, 7)

    assert all(len(numbers) == 7 for numbers in pages[:-1])
    together = [number for numbers in pages for number in numbers]
    assert len(together) == 300
    assert all(one < next_one for one, next_one in pairwise(together))
