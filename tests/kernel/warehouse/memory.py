from adapters.memory.kernel.journal import Tables
from adapters.memory.kernel.repository import MemoryRepository
from adapters.memory.kernel.unit_of_work import MemoryUnit
from tests.kernel.warehouse.domain import Delivery, Product, Supplier


class MemoryProducts(MemoryRepository[Product]):
    entity = Product


class MemorySuppliers(MemoryRepository[Supplier]):
    entity = Supplier


class MemoryDeliveries(MemoryRepository[Delivery]):
    entity = Delivery


class MemoryUnitOfWork(MemoryUnit):
    def __init__(self, committed: Tables) -> None:
        super().__init__(committed)
        self.products = MemoryProducts(self.journal)
        self.suppliers = MemorySuppliers(self.journal)
        self.deliveries = MemoryDeliveries(self.journal)
