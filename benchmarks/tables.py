"""The tables of docs/performance.md and docs/performance-tables.md."""

from collections.abc import Iterator, Sequence

from benchmarks.operations import OPERATIONS
from benchmarks.plan import CONNECTIONS, Plan
from benchmarks.results import (
    CPU,
    LAST_PAGE,
    MEMORY,
    P50,
    P99,
    ROUND_TRIPS,
    START,
    STATEMENTS,
    THROUGHPUT,
    Quantity,
    Results,
    Spread,
    Term,
)
from benchmarks.subjects import LIMIT, NAMES, SERVICE, TUTORIAL
from benchmarks.verdict import Verdict

NOTHING = "—"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    alignment = ["---", *("---:" for _ in head[1:])]
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, alignment, *rows))


def with_spread(found: Spread | None, digits: int = 0) -> str:
    if found is None:
        return NOTHING
    low, high = f"{found.low:,.{digits}f}", f"{found.high:,.{digits}f}"
    return f"{found.median:,.{digits}f} ({low} to {high})"


def cpu(database: str, results: Results) -> str:
    rows = []
    for operation in OPERATIONS:
        quantity = Quantity(CPU, database, operation, connections=16)
        service, limit, tutorial = (Term(quantity, name) for name in (SERVICE, LIMIT, TUTORIAL))
        rows.append(
            [
                operation,
                *(with_spread(results.spread(quantity, name)) for name in NAMES),
                with_spread(results.ratio(service, limit), 2),
                with_spread(results.ratio(tutorial, service), 1),
            ]
        )
    return table(["µs", *NAMES, "service / limit", "tutorial / service"], rows)


def medians(databases: Sequence[str], results: Results) -> str:
    """Return the CPU times of all databases without their spreads."""
    rows = []
    for database in databases:
        for operation in OPERATIONS:
            quantity = Quantity(CPU, database, operation, connections=16)
            service, limit, tutorial = (Term(quantity, name) for name in (SERVICE, LIMIT, TUTORIAL))
            rows.append(
                [
                    f"{operation}, {database}",
                    *(_median(results.spread(quantity, name)) for name in NAMES),
                    _median(results.ratio(service, limit), 2),
                    _median(results.ratio(tutorial, service), 1),
                ]
            )
    return table(["", *NAMES, "service / limit", "tutorial / service"], rows)


def _median(found: Spread | None, digits: int = 0) -> str:
    return f"{found.median:,.{digits}f}" if found else NOTHING


def under_load(database: str, results: Results) -> str:
    rows = []
    for operation in OPERATIONS:
        for connections in CONNECTIONS:
            cells = []
            for name in NAMES:
                found = [
                    results.spread(Quantity(metric, database, operation, connections), name)
                    for metric in (THROUGHPUT, P50, P99)
                ]
                cells.append(_load_cell(found))
            rows.append([f"{operation}, {connections}", *cells])
    return table(["requests a second · p50 · p99 in ms", *NAMES], rows)


def _load_cell(found: Sequence[Spread | None]) -> str:
    throughput, p50, p99 = found
    if not (throughput and p50 and p99):
        return NOTHING
    return f"{throughput.median:,.0f} · {p50.median:.1f} · {p99.median:.1f}"


def process(databases: Sequence[str], results: Results) -> str:
    rows = [
        [
            f"{title}, {database}",
            *(
                with_spread(results.spread(Quantity(metric, database), name), digits)
                for name in NAMES
            ),
        ]
        for title, metric, digits in (("start-up in s", START, 2), ("memory in MB", MEMORY, 0))
        for database in databases
    ]
    return table(["", *NAMES], rows)


def round_trips(database: str, results: Results) -> str:
    rows = []
    for operation in OPERATIONS:
        cells = []
        for name in NAMES:
            counts = [
                results.spread(Quantity(metric, database, operation, connections=1), name)
                for metric in (STATEMENTS, ROUND_TRIPS)
            ]
            cells.append(" · ".join(f"{found.median:.1f}" for found in counts if found) or NOTHING)
        rows.append([operation, *cells])
    return table(["statements · round trips", *NAMES], rows)


def last_page(plan: Plan, results: Results) -> str:
    columns = [(name, database) for database in plan.databases for name in (SERVICE, TUTORIAL)]
    rows = [
        [
            f"{rows:,}",
            *(
                with_spread(results.spread(Quantity(LAST_PAGE, database, rows=rows), name), 2)
                for name, database in columns
            ),
        ]
        for rows in plan.row_counts
    ]
    return table(["rows", *(f"{name}, {database}" for name, database in columns)], rows)


def verdicts(found: Sequence[Verdict]) -> str:
    rows = [
        [f"{one.database}, {one.bound.name}", one.measured, one.wanted, one.word] for one in found
    ]
    return table(["bound", "measured", "wanted", ""], rows)


def busy_generator(results: Results) -> Iterator[str]:
    enough = 0.85
    busiest = sorted(results.busiest_generator, reverse=True)
    over = [name for share, name in busiest if share > enough]
    yield f"The load generator used {busiest[0][0]:.0%} of a core at most, with {busiest[0][1]}."
    if over:
        yield (
            f"In {len(over)} of {len(busiest)} measurements it used more than {enough:.0%} "
            "of a core: throughput and latency of these are partly its own "
            f"({'; '.join(sorted(set(over)))}). "
            "CPU per request is not touched by this."
        )
