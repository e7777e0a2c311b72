"""What the last page costs as the table grows: by cursor in the service, by offset elsewhere."""

import json
from collections.abc import Sequence
from contextlib import ExitStack
from http.client import HTTPConnection
from urllib.parse import quote

from benchmarks.bench import Bench
from benchmarks.many_rows import multiply, row_id
from benchmarks.plan import Plan
from benchmarks.progress import say
from benchmarks.resource import PREFIX
from benchmarks.results import LAST_PAGE, Quantity
from benchmarks.running import HOST, RunningSubject, start_all
from benchmarks.seeding import seed
from benchmarks.subjects import SERVICE, TUTORIAL, Subject

PAGE = 50
HAVE_PAGES = (SERVICE, TUTORIAL)


def measure_last_pages(bench: Bench, subjects: Sequence[Subject], plan: Plan) -> None:
    everyone = {
        bench.place(subject, f"{subject.name}_{rows}_rows"): rows
        for subject in subjects
        if subject.name in HAVE_PAGES
        for rows in plan.row_counts
    }
    with ExitStack() as stack:
        for running in everyone:
            stack.callback(running.stop)
        start_all(list(everyone))
        say("filling tables")
        for running, rows in everyone.items():
            seed(running, count=1)
            multiply(running.url, running.item_ids[0], rows)
            check_last_page(running, rows)
        say("measuring the last page")
        for _ in range(plan.rounds):
            for running, rows in everyone.items():
                _measure(bench, running, rows, plan.page_seconds)


def _measure(bench: Bench, running: RunningSubject, rows: int, seconds: float) -> None:
    bench.generator.prepare(running.port, last_page(running.subject, rows), connections=1)
    outcome = bench.generator.go(running.port, seconds)
    quantity = Quantity(LAST_PAGE, running.subject.database, rows=rows)
    bench.results.record(quantity, running.subject.name, outcome.quantile(0.5) * 1e3)


def last_page(subject: Subject, rows: int) -> str:
    if subject.name == SERVICE:
        from entrypoints.http.kernel.resources.cursor import encode_cursor

        return f"{PREFIX}/?limit={PAGE}&cursor={quote(encode_cursor(row_id(rows - PAGE)))}"
    return f"{PREFIX}/?limit={PAGE}&offset={rows - PAGE}"


def check_last_page(running: RunningSubject, rows: int) -> None:
    connection = HTTPConnection(HOST, running.port, timeout=60)
    connection.request("GET", last_page(running.subject, rows))
    items = json.loads(connection.getresponse().read())
    connection.close()
    if [item["id"] for item in items] != [str(row_id(rows - PAGE + n + 1)) for n in range(PAGE)]:
        raise RuntimeError(f"{running.subject} returns another page than the last of {rows} rows")
