from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Self, TypedDict, Unpack
from uuid import UUID

from domain.kernel.aggregate import Aggregate
from domain.kernel.rules import Text

NAME = Text(1, 200, strip=True)
DESCRIPTION = Text(0, 2_000)
SKU = Text(3, 20)


class ProductChanges(TypedDict, total=False):
    name: str
    description: str | None
    sku: str | None


@dataclass(frozen=True, kw_only=True)
class Product(Aggregate):
    """Something that is stored. No two products have the same SKU (stock keeping unit)."""

    RULES: ClassVar = {"name": NAME, "description": DESCRIPTION, "sku": SKU}

    name: str
    description: str | None
    sku: str | None

    @classmethod
    def create(
        cls,
        product_id: UUID,
        name: str,
        description: str | None,
        now: datetime,
        sku: str | None = None,
    ) -> Self:
        return cls.first_version(product_id, now, name=name, description=description, sku=sku)

    def changed(self, now: datetime, **changes: Unpack[ProductChanges]) -> Self:
        return self.next_version(now, **changes)


@dataclass(frozen=True, kw_only=True)
class Supplier(Aggregate):
    RULES: ClassVar = {"name": NAME}

    name: str

    @classmethod
    def create(cls, supplier_id: UUID, name: str, now: datetime) -> Self:
        return cls.first_version(supplier_id, now, name=name)


@dataclass(frozen=True, kw_only=True)
class Delivery(Aggregate):
    """What a supplier brought."""

    supplier_id: UUID
    quantity: int

    @classmethod
    def create(cls, delivery_id: UUID, supplier_id: UUID, quantity: int, now: datetime) -> Self:
        return cls.first_version(delivery_id, now, supplier_id=supplier_id, quantity=quantity)
