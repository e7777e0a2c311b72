"""Port: the collection of all example items."""

from typing import Protocol

from application.kernel.repository import Reader, Repository
from domain.example_item import ExampleItem


class ExampleItemReader(Reader[ExampleItem], Protocol):
    """Add the queries that your use cases need."""


class ExampleItemRepository(ExampleItemReader, Repository[ExampleItem], Protocol):
    """Add the changes that need more than `add`, `update` and `remove`."""
