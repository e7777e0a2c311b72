from adapters.memory.kernel.journal import Tables
from adapters.memory.kernel.repository import MemoryRepository
from adapters.memory.kernel.unit_of_work import MemoryUnit
from tests.kernel.warehouse.domain import Movement, Product


class MemoryProducts(MemoryRepository[Product]):
    entity = Product


class MemoryMovements(MemoryRepository[Movement]):
    entity = Movement


class MemoryUnitOfWork(MemoryUnit):
    def __init__(self, committed: Tables) -> None:
        super().__init__(committed)
        self.products = MemoryProducts(self.journal)
        self.movements = MemoryMovements(self.journal)
