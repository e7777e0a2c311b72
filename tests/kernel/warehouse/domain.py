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
class Movement(Aggregate):
    """Some of a product came in or went out."""

    product_id: UUID
    quantity: int

    @classmethod
    def create(cls, movement_id: UUID, product_id: UUID, quantity: int, now: datetime) -> Self:
        return cls.first_version(movement_id, now, product_id=product_id, quantity=quantity)
