"""The use cases of example items. Each opens one unit of work and commits before it returns."""

from collections.abc import Collection
from uuid import UUID

from application.example_items.repository import ExampleItemPage, ExampleItemReader
from application.kernel.clock import Clock
from application.kernel.errors import ExampleItemNotFound, VersionMismatch
from application.kernel.idempotency_records import ReceiptFor
from application.kernel.ids import IdSource
from application.kernel.retry import runs_again_after_conflict
from application.unit_of_work import UnitsOfWork
from domain.example_item import UNCHANGED, ExampleItem, Unchanged

# Which versions a change is meant for; None means whichever is there.
Versions = Collection[int] | None


class ExampleItemService:
    """What a client can do with example items.

    Two changes of one item never overwrite each other: the one that comes second is retried, and
    meets what the first has made of the item. If it was meant for another version, it raises
    `VersionMismatch`; if it loses to others again and again, `StaleVersion`. Every method may raise
    `StorageUnavailable`; a changing one also what `UnitOfWork.commit` names. With a `receipt`, it
    commits the receipt of the change together with the change (see
    `application.kernel.idempotency`).
    """

    def __init__(self, units_of_work: UnitsOfWork, clock: Clock, ids: IdSource) -> None:
        self._units_of_work = units_of_work
        self._clock = clock
        self._ids = ids

    async def page(self, after: UUID | None, limit: int) -> ExampleItemPage:
        """Return up to `limit` items in creation order, those after `after` if it is given."""
        async with self._units_of_work.for_reading() as unit:
            return await unit.example_items.page(after, limit)

    async def get(self, item_id: UUID) -> ExampleItem:
        """Return the item; raise `ExampleItemNotFound`."""
        async with self._units_of_work.for_reading() as unit:
            return await _existing(unit.example_items, item_id)

    @runs_again_after_conflict
    async def create(
        self, name: str, description: str | None, receipt: ReceiptFor[ExampleItem] | None = None
    ) -> ExampleItem:
        """Return the new item; raise `RulesBroken`."""
        item = ExampleItem.create(self._ids.new_id(), name, description, self._clock.now())
        async with self._units_of_work.for_writing() as unit:
            unit.example_items.add(item)
            if receipt:
                unit.receipts.add(receipt(item))
            await unit.commit()
        return item

    @runs_again_after_conflict
    async def replace(
        self,
        item_id: UUID,
        name: str,
        description: str | None,
        versions: Versions = None,
        receipt: ReceiptFor[ExampleItem] | None = None,
    ) -> ExampleItem:
        """Return the item with both fields set; raise `ExampleItemNotFound`, `VersionMismatch`,
        `StaleVersion`, `RulesBroken`."""
        async with self._units_of_work.for_writing() as unit:
            item = await _existing(unit.example_items, item_id, versions)
            replaced = item.replaced(name, description, self._clock.now())
            unit.example_items.update(replaced)
            if receipt:
                unit.receipts.add(receipt(replaced))
            await unit.commit()
        return replaced

    @runs_again_after_conflict
    async def change(
        self,
        item_id: UUID,
        *,
        name: str | Unchanged = UNCHANGED,
        description: str | Unchanged | None = UNCHANGED,
        versions: Versions = None,
        receipt: ReceiptFor[ExampleItem] | None = None,
    ) -> ExampleItem:
        """Return the item with the given fields set; raise `ExampleItemNotFound`,
        `VersionMismatch`, `StaleVersion`, `RulesBroken`."""
        async with self._units_of_work.for_writing() as unit:
            item = await _existing(unit.example_items, item_id, versions)
            changed = item.changed(self._clock.now(), name=name, description=description)
            unit.example_items.update(changed)
            if receipt:
                unit.receipts.add(receipt(changed))
            await unit.commit()
        return changed

    @runs_again_after_conflict
    async def delete(
        self,
        item_id: UUID,
        versions: Versions = None,
        receipt: ReceiptFor[ExampleItem] | None = None,
    ) -> None:
        """Delete the item; raise `ExampleItemNotFound`, `VersionMismatch`, `StaleVersion`."""
        async with self._units_of_work.for_writing() as unit:
            item = await _existing(unit.example_items, item_id, versions)
            unit.example_items.remove(item)
            if receipt:
                unit.receipts.add(receipt(item))
            await unit.commit()


async def _existing(
    items: ExampleItemReader, item_id: UUID, versions: Versions = None
) -> ExampleItem:
    item = await items.get(item_id)
    if item is None:
        raise ExampleItemNotFound(item_id)
    if versions is not None and item.version not in versions:
        raise VersionMismatch(item_id)
    return item
