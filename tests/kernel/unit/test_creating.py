from uuid import UUID

import pytest

from application.kernel.errors import AlreadyExists
from domain.kernel.rules import RulesBroken
from tests.kernel.counting_ids import CountingIds
from tests.kernel.fixed_clock import FixedClock
from tests.kernel.warehouse.application import ProductService
from tests.kernel.warehouse.domain import Product
from tests.kernel.warehouse.storages import MemoryUnitsOfWork


async def test_creates_an_item_of_this_moment_with_the_next_id(
    service: ProductService, clock: FixedClock
) -> None:
    await service.create("lamp", None)

    created = await service.create(" chair ", "To sit on.")

    now = clock.now()
    assert created == Product(
        id=UUID(int=2),
        version=1,
        created_at=now,
        updated_at=now,
        name="chair",
        description="To sit on.",
        sku=None,
    )


async def test_stores_what_it_creates(service: ProductService) -> None:
    created = await service.create("lamp", None)

    assert (await service.page(None, 10)).items == [created]


async def test_stores_nothing_that_breaks_a_rule(service: ProductService) -> None:
    with pytest.raises(RulesBroken):
        await service.create("", None)

    assert (await service.page(None, 10)).items == []


async def test_does_not_overwrite_an_item_when_ids_repeat(clock: FixedClock) -> None:
    units_of_work = MemoryUnitsOfWork()
    services = [ProductService(units_of_work, clock, CountingIds()) for _ in range(2)]
    created = await services[0].create("lamp", None)

    with pytest.raises(AlreadyExists):
        await services[1].create("chair", None)

    assert await services[0].get(created.id) == created
