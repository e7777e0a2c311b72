"""Writes the figures into docs/performance.md and docs/performance-tables.md, between two markers;
the prose around them stays."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from benchmarks import machine, tables
from benchmarks.plan import ROUNDS_TO_JUDGE, Plan
from benchmarks.plot import plot
from benchmarks.run import Finished
from benchmarks.subjects import POSTGRESQL
from benchmarks.verdict import Verdict

BEGIN, END = "<!-- figures -->", "<!-- /figures -->"
NEW_PAGE = f"# Performance\n\n{BEGIN}\n{END}\n"
PLOT = "performance.svg"


def write_report(docs: Path, plan: Plan, finished: Finished, verdicts: Sequence[Verdict]) -> None:
    """Write a summary into the one page, all tables into the other, and the plot."""
    docs.mkdir(exist_ok=True)
    (docs / PLOT).write_text(plot(plan, finished.results), encoding="utf-8")
    bounds = ["### Bounds", tables.verdicts(verdicts)]
    _write(docs / "performance.md", summary(plan, finished, verdicts))
    _write(docs / "performance-tables.md", [*sections(plan, finished), *bounds])


def _write(page: Path, figures: Iterable[str]) -> None:
    before = page.read_text(encoding="utf-8") if page.exists() else NEW_PAGE
    page.write_text(between_markers(before, "\n\n".join(figures)), encoding="utf-8")


def between_markers(page: str, figures: str) -> str:
    if BEGIN not in page:
        page = f"{page.rstrip()}\n\n{BEGIN}\n{END}\n"
    before, _, rest = page.partition(BEGIN)
    return f"{before}{BEGIN}\n\n{figures}\n\n{END}{rest.partition(END)[2]}"


def summary(plan: Plan, finished: Finished, verdicts: Sequence[Verdict]) -> Iterator[str]:
    """Yield the parts of the page that is read first."""
    yield f"![CPU per request, and the last page as the table grows]({PLOT})"
    yield tables.medians(plan.databases, finished.results)
    met = sum(verdict.is_met for verdict in verdicts)
    yield (
        f"CPU time per request at 16 connections, in µs: medians of {plan.rounds} rounds, on "
        f"{machine.description()}. {met} of {len(verdicts)} bounds were met."
    )


def sections(plan: Plan, finished: Finished) -> Iterator[str]:
    results = finished.results
    yield f"Taken on {machine.description()}."
    yield f"With {machine.packages()}{_postgresql(finished)}."
    yield " ".join(_conditions(plan, finished))
    if plan.rounds < ROUNDS_TO_JUDGE:
        yield f"Fewer than {ROUNDS_TO_JUDGE} rounds are a hint, not a verdict."
    for database in plan.databases:
        yield f"### CPU per request, {database}, 16 connections"
        yield tables.cpu(database, results)
        yield f"### Under load, {database}, 16 and 64 connections"
        yield tables.under_load(database, results)
    yield "### Start-up and memory"
    yield tables.process(plan.databases, results)
    if POSTGRESQL in plan.databases:
        yield "### Statements and round trips for each request, PostgreSQL"
        yield tables.round_trips(POSTGRESQL, results)
    yield "### The last page of 50, in ms, one connection"
    yield "The service finds it by its cursor, the tutorial style by an offset."
    yield tables.last_page(plan, results)


def _conditions(plan: Plan, finished: Finished) -> Iterator[str]:
    yield f"Medians of {plan.rounds} interleaved rounds, smallest and greatest in brackets;"
    yield "ratios are taken round by round."
    yield "Every subject is one process on uvloop and httptools, and its commits are durable."
    yield f"The same work took {finished.drift:.2f} times as long in the machine's slowest tenth of"
    yield "the run as in its fastest, which is scaled out of the CPU times."
    yield from tables.busy_generator(finished.results)


def _postgresql(finished: Finished) -> str:
    return f", PostgreSQL {finished.postgresql_version}" if finished.postgresql_version else ""
