"""The run: everybody is started, one at a time is under load, and the rounds are interleaved."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

from benchmarks.calibration import Calibration
from benchmarks.databases import Databases
from benchmarks.generator import LoadGenerator
from benchmarks.list_cost import ListCost
from benchmarks.measure import Bursts
from benchmarks.operations import OPERATIONS
from benchmarks.plan import CONNECTIONS, Plan
from benchmarks.process_clock import memory_megabytes
from benchmarks.progress import say
from benchmarks.results import CPU, MEMORY, Quantity, Results
from benchmarks.round_trips import count_round_trips
from benchmarks.running import RunningSubject, start_all
from benchmarks.seeding import seed_all
from benchmarks.start_up import measure_start_ups
from benchmarks.subjects import POSTGRESQL
from tests.processes.guardian import Guardian
from tests.processes.postgresql_server import PostgresServer


@dataclass(frozen=True)
class Finished:
    results: Results
    drift: float
    postgresql_version: str


def run(plan: Plan) -> Finished:
    with ExitStack() as stack:
        directory = Path(mkdtemp(prefix="benchmark-"))
        guardian = stack.enter_context(Guardian(directory))
        server = None
        if POSTGRESQL in plan.databases:
            say("starting PostgreSQL")
            server = stack.enter_context(PostgresServer.start(durable=True))
        databases = Databases(server, directory)
        version = databases.postgresql_version() if server else ""
        generator = stack.enter_context(LoadGenerator())
        results, calibration = Results(), Calibration()
        with ExitStack() as running_subjects:
            everyone = []
            for subject in plan.subjects():
                url = databases.create(subject.database, subject.name)
                log = directory / f"{subject.database}_{subject.name}.log"
                running = RunningSubject(subject, url, log, guardian)
                running_subjects.callback(running.stop)
                everyone.append(running)
            say("starting everybody")
            start_all(everyone)
            say("measuring start-up")
            measure_start_ups(everyone, plan, results)
            say("making the items to read")
            seed_all(everyone, plan.items)
            bursts = Bursts(generator, calibration, results)
            for number in range(plan.rounds):
                measure_round(plan, number, everyone, bursts, results)
        measure_the_rest(plan, generator, databases, directory, results)
        results.scale(CPU, calibration.best * 1e6)
        return Finished(results, calibration.worst / calibration.best, version)


def measure_round(
    plan: Plan,
    number: int,
    everyone: Sequence[RunningSubject],
    bursts: Bursts,
    results: Results,
) -> None:
    # Nobody is always the one that runs after the slowest.
    first = number % len(everyone)
    in_order = [*everyone[first:], *everyone[:first]]
    for operation in OPERATIONS:
        for connections in CONNECTIONS:
            say(f"round {number + 1} of {plan.rounds}: {operation}, {connections} connections")
            for running in in_order:
                bursts.measure(running, operation, connections, plan.burst_seconds)
    for running in everyone:
        quantity = Quantity(MEMORY, running.subject.database)
        results.record(quantity, running.subject.name, memory_megabytes(running.pid))


def measure_the_rest(
    plan: Plan, generator: LoadGenerator, databases: Databases, logs: Path, results: Results
) -> None:
    subjects = plan.subjects()
    if POSTGRESQL in plan.databases:
        say("counting round trips")
        on_postgresql = [subject for subject in subjects if subject.database == POSTGRESQL]
        count_round_trips(on_postgresql, generator, databases, logs, results)
    say("measuring the last page")
    list_cost = ListCost(generator, results, databases, logs, plan.row_counts)
    list_cost.measure(subjects, plan.rounds, plan.page_seconds)
