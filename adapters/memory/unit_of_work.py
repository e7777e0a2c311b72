"""The unit of work on values in memory. Register the repository of your aggregate here."""

from adapters.memory.example_items import MemoryExampleItems
from adapters.memory.kernel.journal import Tables
from adapters.memory.kernel.unit_of_work import MemoryUnit


class MemoryUnitOfWork(MemoryUnit):
    def __init__(self, committed: Tables) -> None:
        super().__init__(committed)
        self.example_items = MemoryExampleItems(self.journal)
