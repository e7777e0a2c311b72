from collections.abc import Callable, Mapping
from heapq import nsmallest
from uuid import UUID

from application.example_items.repository import ExampleItemPage
from application.kernel.errors import DuplicateId, StaleVersion
from domain.example_item import ExampleItem

# What a unit of work would leave behind, by id; None stands for a removed item.
Changes = dict[UUID, ExampleItem | None]


class MemoryExampleItemRepository:
    """The items that are committed, with this unit's own changes on top.

    Items are immutable, so that handing one out shares nothing that could be altered.
    """

    def __init__(self, committed: dict[UUID, ExampleItem]) -> None:
        self._committed = committed
        self._steps: list[Callable[[Changes], None]] = []

    async def get(self, item_id: UUID) -> ExampleItem | None:
        return self._find(item_id, self.changes())

    async def page(self, after: UUID | None, limit: int) -> ExampleItemPage:
        visible: Mapping[UUID, ExampleItem | None] = {**self._committed, **self.changes()}
        following = (
            item
            for item in visible.values()
            if item is not None and (after is None or item.id > after)
        )
        items = nsmallest(limit + 1, following, key=lambda item: item.id)
        has_more = len(items) > limit
        return ExampleItemPage(items[:limit], items[limit - 1].id if has_more else None)

    def add(self, item: ExampleItem) -> None:
        def step(changes: Changes) -> None:
            if self._find(item.id, changes) is not None:
                raise DuplicateId(item.id)
            changes[item.id] = item

        self._steps.append(step)

    def update(self, item: ExampleItem) -> None:
        def step(changes: Changes) -> None:
            self._expect(item.id, item.version - 1, changes)
            changes[item.id] = item

        self._steps.append(step)

    def remove(self, item: ExampleItem) -> None:
        def step(changes: Changes) -> None:
            self._expect(item.id, item.version, changes)
            changes[item.id] = None

        self._steps.append(step)

    def changes(self) -> Changes:
        """Return what this unit's steps make of the items as they are now; raise what the
        first refused step raises."""
        changes: Changes = {}
        for step in self._steps:
            step(changes)
        return changes

    def store(self, changes: Changes) -> None:
        """Make the changes visible to all."""
        for item_id, item in changes.items():
            if item is None:
                self._committed.pop(item_id, None)
            else:
                self._committed[item_id] = item
        self.forget()

    def forget(self) -> None:
        """Drop the steps that are not committed."""
        self._steps.clear()

    def _find(self, item_id: UUID, changes: Changes) -> ExampleItem | None:
        return changes[item_id] if item_id in changes else self._committed.get(item_id)

    def _expect(self, item_id: UUID, version: int, changes: Changes) -> None:
        item = self._find(item_id, changes)
        if item is None or item.version != version:
            raise StaleVersion(item_id)
