"""The use cases of example items. Each opens one unit of work and commits before it returns."""

from typing import Unpack
from uuid import UUID

from application.kernel.clock import Clock
from application.kernel.ids import IdSource
from application.kernel.repository import Page
from application.kernel.retry import retry_on_conflict
from application.kernel.versions import ANY, Versions
from application.unit_of_work import UnitsOfWork
from domain.example_item import ExampleItem, ExampleItemChanges


class ExampleItemService:
    """What a client can do with example items.

    Two changes of one item never overwrite each other: the second is retried on what the first has
    made of the item. It raises `VersionMismatch` if it expected another version, and `StaleVersion`
    if it keeps losing to others. Every method may raise `StorageUnavailable`; one that changes
    something also what `commit` of a unit of work raises.
    """

    def __init__(self, units_of_work: UnitsOfWork, clock: Clock, ids: IdSource) -> None:
        self._units_of_work = units_of_work
        self._clock = clock
        self._ids = ids

    async def page(self, after: UUID | None, limit: int) -> Page[ExampleItem]:
        """Return up to `limit` items in creation order, those after `after` if it is given."""
        async with self._units_of_work.for_reading() as unit:
            return await unit.example_items.page(after, limit)

    async def get(self, item_id: UUID) -> ExampleItem:
        """Return the item; raise `NotFound`."""
        async with self._units_of_work.for_reading() as unit:
            return await unit.example_items.existing(item_id)

    @retry_on_conflict
    async def create(self, name: str, description: str | None = None) -> ExampleItem:
        """Return the new item; raise `RulesBroken`."""
        async with self._units_of_work.for_writing() as unit:
            item = ExampleItem.create(self._ids.new_id(), name, description, self._clock.now())
            unit.example_items.add(item)
            return await unit.commit(item)

    @retry_on_conflict
    async def change(
        self, item_id: UUID, expected: Versions = ANY, **changes: Unpack[ExampleItemChanges]
    ) -> ExampleItem:
        """Return the item with the given fields changed; raise `NotFound`, `VersionMismatch`,
        `StaleVersion`, `RulesBroken`."""
        async with self._units_of_work.for_writing() as unit:
            item = await unit.example_items.existing(item_id, expected)
            changed = item.changed(self._clock.now(), **changes)
            unit.example_items.update(changed)
            return await unit.commit(changed)

    @retry_on_conflict
    async def delete(self, item_id: UUID, expected: Versions = ANY) -> ExampleItem:
        """Return the item that was deleted; raise `NotFound`, `VersionMismatch`, `StaleVersion`."""
        async with self._units_of_work.for_writing() as unit:
            item = await unit.example_items.existing(item_id, expected)
            unit.example_items.remove(item)
            return await unit.commit(item)
