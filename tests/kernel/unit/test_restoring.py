"""An entity that is restored past its constructor is the one that the constructor makes."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from adapters.sql.kernel.restoring import restoring
from tests.kernel.warehouse.domain import Product


@dataclass(frozen=True)
class Plain:
    one: int
    two: int


@dataclass(frozen=True)
class Checked(Plain):
    def __post_init__(self) -> None:
        object.__setattr__(self, "two", self.two * 2)


@dataclass(frozen=True, slots=True)
class Slotted:
    one: int
    two: int


@dataclass
class Mutable:
    one: int
    two: int

    def __setattr__(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, -value)


@dataclass(frozen=True, init=False)
class OwnConstructor:
    one: int
    two: int

    def __init__(self, one: int, two: int) -> None:
        object.__setattr__(self, "one", two)
        object.__setattr__(self, "two", one)


class Inheriting(Plain):
    def __init__(self, one: int, two: int) -> None:
        super().__init__(two, one)


@dataclass(frozen=True)
class OwnNew(Plain):
    def __new__(cls, *_: object, **__: object) -> "OwnNew":
        made = object.__new__(cls)
        made.__dict__["noted"] = True
        return made


@dataclass(frozen=True)
class Derived:
    one: int
    two: int
    three: int = field(init=False, default=3)


@pytest.mark.parametrize(
    "entity", [Plain, Checked, Slotted, Mutable, OwnConstructor, Inheriting, OwnNew, Derived]
)
def test_it_is_what_the_constructor_makes(entity: Any) -> None:
    restored = restoring(entity, ["one", "two"])([1, 2])

    made = entity(one=1, two=2)
    assert restored == made
    assert getattr(restored, "__dict__", None) == getattr(made, "__dict__", None)


def test_fields_may_come_in_another_order() -> None:
    assert restoring(Plain, ["two", "one"])([2, 1]) == Plain(1, 2)


def test_a_row_of_another_length_is_an_error() -> None:
    with pytest.raises(ValueError, match="zip"):
        restoring(Plain, ["one", "two"])([1])


def test_an_aggregate_is_restored_past_its_constructor(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ["id", "version", "created_at", "updated_at", "name", "description", "sku"]
    restore = restoring(Product, names)
    monkeypatch.setattr(Product, "__init__", None)

    restored: Any = restore(range(7))
    assert restored.sku == 6
