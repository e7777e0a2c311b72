"""Both repositories of example items, on each storage."""

from datetime import UTC, datetime
from uuid import UUID

from domain.example_item import ExampleItem
from tests.kernel.suites.repository import RepositorySuite

NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


class TestExampleItems(RepositorySuite):
    repository = "example_items"

    def new(self, number: int) -> ExampleItem:
        return ExampleItem.create(UUID(int=number), f"item {number}", None, NOW)

    def changed(self, item: ExampleItem) -> ExampleItem:
        return item.changed(NOW, description="It shines.")
