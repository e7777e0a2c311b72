"""Everything that was measured, one value a round, and what is made of it."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Self

CPU, THROUGHPUT, P50, P99 = "CPU", "throughput", "p50", "p99"
START, MEMORY, LAST_PAGE = "start-up", "memory", "last page"
STATEMENTS, ROUND_TRIPS = "statements", "round trips"


@dataclass(frozen=True)
class Quantity:
    metric: str
    database: str
    operation: str = ""
    connections: int = 0
    rows: int = 0


@dataclass(frozen=True)
class Spread:
    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Self:
        known = list(values)
        return cls(median(known), min(known), max(known))


@dataclass(frozen=True)
class Term:
    """One quantity of one subject."""

    quantity: Quantity
    subject: str


@dataclass
class Results:
    busiest_generator: list[tuple[float, str]] = field(default_factory=list)
    _values: dict[Term, list[float]] = field(default_factory=lambda: defaultdict(list))

    def record(self, quantity: Quantity, subject: str, value: float) -> None:
        self._values[Term(quantity, subject)].append(value)

    def scale(self, metric: str, factor: float) -> None:
        for term, values in self._values.items():
            if term.quantity.metric == metric:
                values[:] = [value * factor for value in values]

    def values(self, term: Term) -> Sequence[float]:
        return self._values.get(term, [])

    def spread(self, quantity: Quantity, subject: str) -> Spread | None:
        values = self.values(Term(quantity, subject))
        return Spread.of(values) if values else None

    def ratio(self, left: Term, right: Term) -> Spread | None:
        """Compare round by round: what slowed a whole round down cancels out."""
        pairs = list(zip(self.values(left), self.values(right), strict=False))
        return Spread.of(one / other for one, other in pairs) if pairs else None

    def difference(self, left: Term, right: Term) -> Spread | None:
        pairs = list(zip(self.values(left), self.values(right), strict=False))
        return Spread.of(one - other for one, other in pairs) if pairs else None
