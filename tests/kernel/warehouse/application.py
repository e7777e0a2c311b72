from typing import Protocol, Unpack
from uuid import UUID

from application.kernel import unit_of_work as kernel
from application.kernel.clock import Clock
from application.kernel.ids import IdSource
from application.kernel.repository import Page, Reader, Repository
from application.kernel.retry import retry_on_conflict
from application.kernel.versions import ANY, Versions
from tests.kernel.warehouse.domain import Delivery, Product, ProductChanges, Supplier


class ReadingUnitOfWork(kernel.ReadingUnit, Protocol):
    @property
    def products(self) -> Reader[Product]: ...
    @property
    def suppliers(self) -> Reader[Supplier]: ...
    @property
    def deliveries(self) -> Reader[Delivery]: ...


class UnitOfWork(kernel.WritingUnit, Protocol):
    @property
    def products(self) -> Repository[Product]: ...
    @property
    def suppliers(self) -> Repository[Supplier]: ...
    @property
    def deliveries(self) -> Repository[Delivery]: ...


UnitsOfWork = kernel.UnitsOfWork[ReadingUnitOfWork, UnitOfWork]


class ProductService:
    def __init__(self, units_of_work: UnitsOfWork, clock: Clock, ids: IdSource) -> None:
        self._units_of_work = units_of_work
        self._clock = clock
        self._ids = ids

    async def page(self, after: UUID | None, limit: int) -> Page[Product]:
        async with self._units_of_work.for_reading() as unit:
            return await unit.products.page(after, limit)

    async def get(self, product_id: UUID) -> Product:
        async with self._units_of_work.for_reading() as unit:
            return await unit.products.existing(product_id)

    @retry_on_conflict
    async def create(
        self, name: str, description: str | None = None, sku: str | None = None
    ) -> Product:
        async with self._units_of_work.for_writing() as unit:
            product_id = self._ids.new_id()
            product = Product.create(product_id, name, description, self._clock.now(), sku)
            unit.products.add(product)
            return await unit.commit(product)

    @retry_on_conflict
    async def change(
        self, product_id: UUID, expected: Versions = ANY, **changes: Unpack[ProductChanges]
    ) -> Product:
        async with self._units_of_work.for_writing() as unit:
            product = await unit.products.existing(product_id, expected)
            changed = product.changed(self._clock.now(), **changes)
            unit.products.update(changed)
            return await unit.commit(changed)

    @retry_on_conflict
    async def delete(self, product_id: UUID, expected: Versions = ANY) -> Product:
        async with self._units_of_work.for_writing() as unit:
            product = await unit.products.existing(product_id, expected)
            unit.products.remove(product)
            return await unit.commit(product)
