"""Statements and round trips to PostgreSQL for each request."""

from collections.abc import Sequence
from time import sleep

from benchmarks.bench import Bench
from benchmarks.counting_proxy import CountingProxy
from benchmarks.operations import OPERATIONS
from benchmarks.results import ROUND_TRIPS, STATEMENTS, Quantity
from benchmarks.running import RunningSubject
from benchmarks.seeding import seed
from benchmarks.subjects import Subject

SECONDS = 0.1


def count_round_trips(bench: Bench, subjects: Sequence[Subject]) -> None:
    for subject in subjects:
        with (
            CountingProxy(bench.databases.postgresql_port()) as proxy,
            bench.place(subject, f"{subject.name}_counted", proxy.port) as running,
        ):
            seed(running, count=50)
            for operation in OPERATIONS:
                _count(bench, running, proxy, operation)


def _count(bench: Bench, running: RunningSubject, proxy: CountingProxy, operation: str) -> None:
    bench.generator.prepare(running.port, operation, 1, running.item_ids)
    sleep(SECONDS)  # Some subjects tidy up after their response.
    statements, round_trips = proxy.statements, proxy.round_trips
    requests = bench.generator.go(running.port, SECONDS).requests
    sleep(SECONDS)
    for metric, count in (
        (STATEMENTS, proxy.statements - statements),
        (ROUND_TRIPS, proxy.round_trips - round_trips),
    ):
        quantity = Quantity(metric, running.subject.database, operation, connections=1)
        bench.results.record(quantity, running.subject.name, count / requests)
