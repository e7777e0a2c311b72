"""The example aggregate: replace it with your own."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Self, TypedDict, Unpack
from uuid import UUID

from domain.kernel.aggregate import Aggregate
from domain.kernel.rules import Text

NAME = Text(1, 200, strip=True)
DESCRIPTION = Text(0, 2_000)


class ExampleItemChanges(TypedDict, total=False):
    name: str
    description: str | None


@dataclass(frozen=True, kw_only=True)
class ExampleItem(Aggregate):
    """A named thing with an optional description."""

    RULES: ClassVar = {"name": NAME, "description": DESCRIPTION}

    name: str
    description: str | None

    @classmethod
    def create(cls, item_id: UUID, name: str, description: str | None, now: datetime) -> Self:
        """Return version 1 of a new item; raise `RulesBroken`."""
        return cls.first_version(item_id, now, name=name, description=description)

    def changed(self, now: datetime, **changes: Unpack[ExampleItemChanges]) -> Self:
        """Return the next version, with the given fields changed; raise `RulesBroken`."""
        return self.next_version(now, **changes)
