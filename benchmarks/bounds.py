"""What the service has to hold, as data: medians of ratios that were taken round by round."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks.operations import GET, LIST, OPERATIONS, PATCH, POST
from benchmarks.results import (
    CPU,
    LAST_PAGE,
    MEMORY,
    P99,
    START,
    Quantity,
    Results,
    Spread,
    Term,
)
from benchmarks.subjects import LIMIT, POSTGRESQL, SERVICE, SQLITE, TUTORIAL

MOST, LEAST = "at most", "at least"


@dataclass(frozen=True)
class Bound:
    name: str
    left: Term
    right: Term
    side: str
    value: float
    unit: str = "times"

    def measured(self, results: Results) -> Spread | None:
        compare = results.ratio if self.unit == "times" else results.difference
        return compare(self.left, self.right)

    def is_met(self, results: Results) -> bool:
        """What was not measured is not met."""
        found = self.measured(results)
        if found is None:
            return False
        return found.median <= self.value if self.side == MOST else found.median >= self.value


# CPU per request at 16 connections: at most so many times the limit's, and so many times less
# than the tutorial's.
CPU_BOUNDS = {
    (POSTGRESQL, GET): (1.6, 4.5),
    (POSTGRESQL, LIST): (1.6, 4.5),
    (POSTGRESQL, POST): (1.7, 6),
    (POSTGRESQL, PATCH): (2.2, 4),
    (SQLITE, GET): (3.5, 5),
    (SQLITE, LIST): (3.0, 5),
    (SQLITE, POST): (1.2, 10),
}
# On SQLite only for writes: 64 connections that wait for one process see its CPU time 64 times
# over, so that a read's p99 follows the CPU bound above, which is wider than 2.
P99_OPERATIONS = {POSTGRESQL: OPERATIONS, SQLITE: (POST, PATCH)}
P99_TIMES, START_TIMES, MEMORY_MEGABYTES, LAST_PAGE_TIMES = 2.0, 1.4, 25.0, 1.3


def bounds(database: str, row_counts: Sequence[int]) -> Iterator[Bound]:
    for (its_database, operation), (most, least) in CPU_BOUNDS.items():
        if its_database == database:
            quantity = Quantity(CPU, database, operation, connections=16)
            service = Term(quantity, SERVICE)
            name = f"CPU of {operation}"
            yield Bound(f"{name}: service / limit", service, Term(quantity, LIMIT), MOST, most)
            yield Bound(
                f"{name}: tutorial / service", Term(quantity, TUTORIAL), service, LEAST, least
            )
    for operation in P99_OPERATIONS[database]:
        quantity = Quantity(P99, database, operation, connections=64)
        yield Bound(
            f"p99 of {operation} at 64 connections: service / limit",
            Term(quantity, SERVICE),
            Term(quantity, LIMIT),
            MOST,
            P99_TIMES,
        )
    start = Quantity(START, database)
    yield Bound(
        "start-up: service / tutorial",
        Term(start, SERVICE),
        Term(start, TUTORIAL),
        MOST,
        START_TIMES,
    )
    memory = Quantity(MEMORY, database)
    yield Bound(
        "memory: service - tutorial",
        Term(memory, SERVICE),
        Term(memory, TUTORIAL),
        MOST,
        MEMORY_MEGABYTES,
        "MB",
    )
    few, many = min(row_counts), max(row_counts)
    yield Bound(
        f"last page: of {many:,} rows / of {few:,}",
        Term(Quantity(LAST_PAGE, database, rows=many), SERVICE),
        Term(Quantity(LAST_PAGE, database, rows=few), SERVICE),
        MOST,
        LAST_PAGE_TIMES,
    )
