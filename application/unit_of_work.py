"""Port: a unit of work with a repository for each aggregate. Register yours here."""

from typing import Protocol

from application.example_items.repository import ExampleItemReader, ExampleItemRepository
from application.kernel import unit_of_work as kernel


class ReadingUnitOfWork(kernel.ReadingUnit, Protocol):
    @property
    def example_items(self) -> ExampleItemReader: ...


class UnitOfWork(kernel.WritingUnit, Protocol):
    @property
    def example_items(self) -> ExampleItemRepository: ...


UnitsOfWork = kernel.UnitsOfWork[ReadingUnitOfWork, UnitOfWork]
