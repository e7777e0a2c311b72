from uuid import UUID

import pytest

from application.kernel.errors import NotFound
from tests.kernel.warehouse.application import ProductService

FIRST, SECOND, THIRD = (UUID(int=number) for number in range(1, 4))


async def test_gets_an_item(service: ProductService) -> None:
    created = await service.create("lamp", None)

    assert await service.get(created.id) == created


async def test_does_not_get_an_unknown_item(service: ProductService) -> None:
    with pytest.raises(NotFound) as raised:
        await service.get(FIRST)

    assert raised.value.id == FIRST


async def test_lists_items_page_by_page(service: ProductService) -> None:
    items = [await service.create(name, None) for name in ("lamp", "chair", "table")]

    first = await service.page(None, 2)
    second = await service.page(first.next_after, 2)

    assert [*first.items, *second.items] == items
    assert (first.next_after, second.next_after) == (SECOND, None)


async def test_lists_nothing_when_there_is_nothing(service: ProductService) -> None:
    page = await service.page(None, 2)

    assert (list(page.items), page.next_after) == ([], None)
