from adapters.memory.kernel.repository import MemoryRepository
from domain.example_item import ExampleItem


class MemoryExampleItems(MemoryRepository[ExampleItem]):
    entity = ExampleItem
