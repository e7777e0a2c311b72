"""What every aggregate has: an identity, a version, and the times of its first and last version."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, ClassVar, Self
from uuid import UUID

from domain.kernel.rules import BrokenRule, Rule, RulesBroken


@dataclass(frozen=True, kw_only=True)
class Aggregate:
    """One version of a thing that has an identity. It never changes: a change is the next version.

    `first_version` and `next_version` check the rules of the fields that they set. The constructor
    checks nothing: it restores what was stored before, so that a rule can be tightened without
    making stored data unreadable.
    """

    RULES: ClassVar[Mapping[str, Rule]] = {}
    """The rule of each field that has one."""

    id: UUID
    version: int
    """1 at first, and one more with every change."""
    created_at: datetime
    updated_at: datetime

    @classmethod
    def kind(cls) -> str:
        """Return what one of these is called in a sentence: `OrderLine` is an "order line"."""
        words = re.findall(r"[A-Z]+(?![a-z])|[A-Z][a-z0-9]*|[a-z0-9]+", cls.__name__)
        return " ".join(
            word if word.isupper() and len(word) > 1 else word.lower() for word in words
        )

    @classmethod
    def first_version(cls, entity_id: UUID, now: datetime, **fields: Any) -> Self:
        """Return version 1 with these fields. `now` is UTC-aware. Raises `RulesBroken`."""
        broken: list[BrokenRule] = []
        values = cls._normalized(fields, broken)
        made = cls(id=entity_id, version=1, created_at=_utc(now), updated_at=now, **values)
        return made._checked(broken)

    def next_version(self, now: datetime, **changes: Any) -> Self:
        """Return the next version, with these fields changed. `now` is UTC-aware. Raises
        `RulesBroken`."""
        broken: list[BrokenRule] = []
        values = self._normalized(changes, broken)
        # A clock that was set back must not make a version older than the one before.
        updated_at = max(_utc(now), self.updated_at)
        made = replace(self, version=self.version + 1, updated_at=updated_at, **values)
        return made._checked(broken)

    def broken_rules(self) -> Iterator[BrokenRule]:
        """Yield the rules on several fields together that this version breaks. Override it."""
        return iter(())

    def _checked(self, broken: list[BrokenRule]) -> Self:
        # What a wrong field means for the others is not known.
        if found := broken or list(self.broken_rules()):
            raise RulesBroken(*found)
        return self

    @classmethod
    def _normalized(cls, fields: Mapping[str, Any], broken: list[BrokenRule]) -> dict[str, Any]:
        values = dict(fields)
        for name, value in fields.items():
            rule = cls.RULES.get(name)
            if rule is not None and value is not None:
                values[name] = rule.normalized(value)
                broken.extend(rule.broken_by(name, values[name]))
        return values


def _utc(now: datetime) -> datetime:
    if now.utcoffset() != timedelta(0):
        raise ValueError("the domain's times are UTC-aware")
    return now
