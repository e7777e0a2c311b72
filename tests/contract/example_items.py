"""Items to store, and short ways to store and to look."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from application.unit_of_work import UnitsOfWork
from domain.example_item import ExampleItem

CREATED = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
LATER = CREATED + timedelta(microseconds=1)


def new_item(number: int = 1, name: str = "lamp", description: str | None = None) -> ExampleItem:
    return ExampleItem.create(UUID(int=number), name, description, CREATED)


def next_version(item: ExampleItem, name: str = "a better lamp") -> ExampleItem:
    return item.changed(LATER, name=name)


async def store(units_of_work: UnitsOfWork, *items: ExampleItem) -> None:
    async with units_of_work.for_writing() as unit:
        for item in items:
            unit.example_items.add(item)
        await unit.commit()


async def stored(units_of_work: UnitsOfWork, item_id: UUID) -> ExampleItem | None:
    async with units_of_work.for_reading() as unit:
        return await unit.example_items.get(item_id)


async def all_stored(units_of_work: UnitsOfWork) -> Sequence[ExampleItem]:
    async with units_of_work.for_reading() as unit:
        return (await unit.example_items.page(None, 1000)).items
