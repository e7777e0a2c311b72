"""The repositories of the warehouse do what the repository of every aggregate does."""

from datetime import UTC, datetime
from uuid import UUID

from tests.kernel.suites.repository import RepositorySuite
from tests.kernel.warehouse.domain import Product, Supplier

NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


class TestProducts(RepositorySuite):
    repository = "products"

    def new(self, number: int) -> Product:
        return Product.create(UUID(int=number), "lamp", None, NOW)

    def changed(self, product: Product) -> Product:
        return product.changed(NOW, name="desk")


class TestSuppliers(RepositorySuite):
    repository = "suppliers"

    def new(self, number: int) -> Supplier:
        return Supplier.create(UUID(int=number), "A and sons", NOW)

    def changed(self, supplier: Supplier) -> Supplier:
        return supplier.next_version(NOW, name="A and daughters")
