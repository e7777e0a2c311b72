"""Statements and round trips to PostgreSQL for each request."""

from collections.abc import Sequence
from pathlib import Path
from time import sleep

from benchmarks.counting_proxy import CountingProxy
from benchmarks.databases import Databases
from benchmarks.generator import LoadGenerator
from benchmarks.operations import OPERATIONS
from benchmarks.results import ROUND_TRIPS, STATEMENTS, Quantity, Results
from benchmarks.running import RunningSubject
from benchmarks.seeding import seed
from benchmarks.subjects import Subject

SECONDS = 0.1


def count_round_trips(
    subjects: Sequence[Subject],
    generator: LoadGenerator,
    databases: Databases,
    logs: Path,
    results: Results,
) -> None:
    for subject in subjects:
        name = f"{subject.name}_counted"
        url = databases.create(subject.database, name)
        server_port = databases.postgresql_port()
        with CountingProxy(server_port) as proxy:
            url = url.replace(f":{server_port}/", f":{proxy.port}/")
            with RunningSubject(subject, url, logs / f"{name}.log") as running:
                seed(running, count=50)
                for operation in OPERATIONS:
                    generator.prepare(running.port, operation, 1, running.item_ids)
                    sleep(SECONDS)  # Some subjects tidy up after their answer.
                    statements, round_trips = proxy.statements, proxy.round_trips
                    requests = generator.go(SECONDS).requests
                    sleep(SECONDS)
                    for metric, count in (
                        (STATEMENTS, proxy.statements - statements),
                        (ROUND_TRIPS, proxy.round_trips - round_trips),
                    ):
                        quantity = Quantity(metric, subject.database, operation, connections=1)
                        results.record(quantity, subject.name, count / requests)
