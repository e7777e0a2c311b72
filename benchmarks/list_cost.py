"""What the last page costs as the table grows: by cursor in the service, by offset elsewhere."""

import json
from collections.abc import Sequence
from contextlib import ExitStack
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import quote

from benchmarks.databases import Databases
from benchmarks.generator import LoadGenerator
from benchmarks.many_rows import multiply, row_id
from benchmarks.operations import PREFIX
from benchmarks.results import LAST_PAGE, Quantity, Results
from benchmarks.running import HOST, RunningSubject, start_all
from benchmarks.seeding import seed
from benchmarks.subjects import SERVICE, TUTORIAL, Subject

PAGE = 50
HAVE_PAGES = (SERVICE, TUTORIAL)


class ListCost:
    def __init__(
        self,
        generator: LoadGenerator,
        results: Results,
        databases: Databases,
        logs: Path,
        row_counts: Sequence[int],
    ) -> None:
        self._generator = generator
        self._results = results
        self._databases = databases
        self._logs = logs
        self._row_counts = row_counts

    def measure(self, subjects: Sequence[Subject], rounds: int, seconds: float) -> None:
        everyone = {
            self._prepare(subject, rows): rows
            for subject in subjects
            if subject.name in HAVE_PAGES
            for rows in self._row_counts
        }
        with ExitStack() as stack:
            for running in everyone:
                stack.callback(running.stop)
            start_all(list(everyone))
            for running, rows in everyone.items():
                seed(running, count=1)
                multiply(running.url, running.item_ids[0], rows)
                check_last_page(running, rows)
            for _ in range(rounds):
                for running, rows in everyone.items():
                    self._measure(running, rows, seconds)

    def _prepare(self, subject: Subject, rows: int) -> RunningSubject:
        name = f"{subject.name}_{rows}_rows"
        url = self._databases.create(subject.database, name)
        return RunningSubject(subject, url, self._logs / f"{subject.database}_{name}.log")

    def _measure(self, running: RunningSubject, rows: int, seconds: float) -> None:
        self._generator.prepare(running.port, last_page(running.subject, rows), connections=1)
        outcome = self._generator.go(seconds)
        quantity = Quantity(LAST_PAGE, running.subject.database, rows=rows)
        self._results.record(quantity, running.subject.name, outcome.p50 * 1e3)


def last_page(subject: Subject, rows: int) -> str:
    if subject.name == SERVICE:
        from entrypoints.http.cursor import encode_cursor

        return f"{PREFIX}/?limit={PAGE}&cursor={quote(encode_cursor(row_id(rows - PAGE)))}"
    return f"{PREFIX}/?limit={PAGE}&offset={rows - PAGE}"


def check_last_page(running: RunningSubject, rows: int) -> None:
    connection = HTTPConnection(HOST, running.port, timeout=60)
    connection.request("GET", last_page(running.subject, rows))
    items = json.loads(connection.getresponse().read())
    connection.close()
    if [item["id"] for item in items] != [str(row_id(rows - PAGE + n + 1)) for n in range(PAGE)]:
        raise RuntimeError(f"{running.subject} answers another page than the last of {rows} rows")
