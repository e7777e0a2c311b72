"""The example aggregate: replace it with your own."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import Self
from uuid import UUID

from domain.kernel.rules import BrokenRule, RulesBroken

NAME_MAX_LENGTH = 200
DESCRIPTION_MAX_LENGTH = 2_000


class Unchanged(Enum):
    """Says "leave this field as it is", where None means "clear it"."""

    UNCHANGED = "unchanged"


UNCHANGED = Unchanged.UNCHANGED


@dataclass(frozen=True)
class ExampleItem:
    """A named thing with an optional description.

    An item never changes: `replaced` and `changed` return the next version of it. The rules
    hold for what `create`, `replaced` and `changed` make. The plain constructor only restores
    an item that was made before, so that tightening a rule does not make old items unreadable.
    """

    id: UUID
    name: str
    description: str | None
    version: int
    created_at: datetime
    updated_at: datetime

    @classmethod
    def create(cls, item_id: UUID, name: str, description: str | None, now: datetime) -> Self:
        """Return version 1 of a new item; raise `RulesBroken`."""
        name = name.strip()
        _check(name, description, now)
        return cls(item_id, name, description, 1, now, now)

    def replaced(self, name: str, description: str | None, now: datetime) -> Self:
        """Return the next version with both fields set; raise `RulesBroken`."""
        name = name.strip()
        _check(name, description, now)
        return replace(
            self,
            name=name,
            description=description,
            version=self.version + 1,
            # A clock that was set back must not make an item older than it was.
            updated_at=max(now, self.updated_at),
        )

    def changed(
        self,
        now: datetime,
        *,
        name: str | Unchanged = UNCHANGED,
        description: str | Unchanged | None = UNCHANGED,
    ) -> Self:
        """Return the next version with the given fields set; raise `RulesBroken`."""
        return self.replaced(
            self.name if name is UNCHANGED else name,
            self.description if description is UNCHANGED else description,
            now,
        )


def _check(name: str, description: str | None, now: datetime) -> None:
    if now.utcoffset() != timedelta(0):
        raise ValueError("the domain's times are UTC-aware")
    broken = [*_broken_by_name(name), *_broken_by_description(description)]
    if broken:
        raise RulesBroken(*broken)


def _broken_by_name(name: str) -> Iterator[BrokenRule]:
    if not name:
        yield BrokenRule("name", "required", "must not be empty or only white space")
    if len(name) > NAME_MAX_LENGTH:
        yield BrokenRule("name", "too_long", f"must have at most {NAME_MAX_LENGTH} characters")
    if not _is_storable(name):
        yield BrokenRule("name", "not_storable", "must not contain NUL or lone surrogates")


def _broken_by_description(description: str | None) -> Iterator[BrokenRule]:
    if description is None:
        return
    if len(description) > DESCRIPTION_MAX_LENGTH:
        yield BrokenRule(
            "description", "too_long", f"must have at most {DESCRIPTION_MAX_LENGTH} characters"
        )
    if not _is_storable(description):
        yield BrokenRule("description", "not_storable", "must not contain NUL or lone surrogates")


def _is_storable(text: str) -> bool:
    """Tell whether every database can keep the text: PostgreSQL has no NUL in a string, and
    lone surrogates have no UTF-8 form."""
    if "\x00" in text:
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
