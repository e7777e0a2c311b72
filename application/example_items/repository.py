"""Port: the collection of all example items."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from domain.example_item import ExampleItem


@dataclass(frozen=True, slots=True)
class ExampleItemPage:
    """A part of the collection, in creation order.

    `next_after` is what to ask the following page with, None on the last page.
    """

    items: Sequence[ExampleItem]
    next_after: UUID | None


class ExampleItemReader(Protocol):
    """The collection as a reading unit of work sees it."""

    async def get(self, item_id: UUID) -> ExampleItem | None:
        """Return the item, or None if there is none of this id."""
        ...

    async def page(self, after: UUID | None, limit: int) -> ExampleItemPage:
        """Return up to `limit` items that were created after the item `after` (which need not
        exist any more), or from the beginning: keyset pagination, equally fast on every page.
        """
        ...


class ExampleItemRepository(ExampleItemReader, Protocol):
    """The collection as a writing unit of work sees it.

    The three writing methods take note; the change is made, and refused, when the unit of work
    commits, or earlier if the same unit reads again. Each can then raise what it names here.
    """

    def add(self, item: ExampleItem) -> None:
        """Add a new item; `DuplicateId` if its id is taken."""
        ...

    def update(self, item: ExampleItem) -> None:
        """Put the item in the place of its previous version; `StaleVersion` if the stored one
        is any other."""
        ...

    def remove(self, item: ExampleItem) -> None:
        """Remove the item; `StaleVersion` if the stored version is any other."""
        ...
