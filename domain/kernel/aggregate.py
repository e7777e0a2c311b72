"""The base of every aggregate: an id, a version, and the times of its first and last version."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, ClassVar, Self
from uuid import UUID

from domain.kernel.rules import BrokenRule, Rule, RulesBroken


@dataclass(frozen=True, kw_only=True)
class Aggregate:
    """One version of an aggregate. It is immutable: a change creates the next version.

    `first_version` and `next_version` check the rules of the fields that they set. The constructor
    checks nothing: it restores stored data, which stay readable when a rule becomes stricter.
    """

    RULES: ClassVar[Mapping[str, Rule]] = {}
    """The rules, by the name of their field."""

    id: UUID
    version: int
    """1 for a new aggregate, and one more after every change."""
    created_at: datetime
    updated_at: datetime

    @classmethod
    def kind(cls) -> str:
        """Return the aggregate's name in a sentence: `OrderLine` is an "order line"."""
        words = re.findall(r"[A-Z]+(?![a-z])|[A-Z][a-z0-9]*|[a-z0-9]+", cls.__name__)
        return " ".join(
            word if word.isupper() and len(word) > 1 else word.lower() for word in words
        )

    @classmethod
    def first_version(cls, entity_id: UUID, now: datetime, **fields: Any) -> Self:
        """Return version 1 with these fields. Raises `RulesBroken`, and `ValueError` if `now` is
        not UTC-aware."""
        broken: list[BrokenRule] = []
        values = cls._normalized(fields, broken)
        made = cls(id=entity_id, version=1, created_at=_utc(now), updated_at=now, **values)
        return made._checked(broken)

    def next_version(self, now: datetime, **changes: Any) -> Self:
        """Return the next version, with these fields changed. Raises `RulesBroken`, and
        `ValueError` if `now` is not UTC-aware."""
        broken: list[BrokenRule] = []
        values = self._normalized(changes, broken)
        # A clock that was set back must not make a version older than the one before.
        updated_at = max(_utc(now), self.updated_at)
        made = replace(self, version=self.version + 1, updated_at=updated_at, **values)
        return made._checked(broken)

    def broken_rules(self) -> Iterator[BrokenRule]:
        """Yield the broken rules that concern several fields together. Override it."""
        return iter(())

    def _checked(self, broken: list[BrokenRule]) -> Self:
        # Rules on several fields are checked only when each field is valid by itself.
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
