"""Items to store, and short ways to store and to look."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from tests.kernel.warehouse.application import UnitsOfWork
from tests.kernel.warehouse.domain import Product

CREATED = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
LATER = CREATED + timedelta(microseconds=1)


def new_product(number: int = 1, name: str = "lamp", description: str | None = None) -> Product:
    return Product.create(UUID(int=number), name, description, CREATED)


def next_version(item: Product, name: str = "a better lamp") -> Product:
    return item.changed(LATER, name=name)


async def store(units_of_work: UnitsOfWork, *items: Product) -> None:
    async with units_of_work.for_writing() as unit:
        for item in items:
            unit.products.add(item)
        await unit.commit()


async def stored(units_of_work: UnitsOfWork, item_id: UUID) -> Product | None:
    async with units_of_work.for_reading() as unit:
        return await unit.products.get(item_id)


async def all_stored(units_of_work: UnitsOfWork) -> Sequence[Product]:
    async with units_of_work.for_reading() as unit:
        return (await unit.products.page(None, 1000)).items
