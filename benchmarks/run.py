"""The run: everybody is started, one at a time is under load, and the rounds are interleaved."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

from benchmarks.bench import Bench
from benchmarks.calibration import Calibration
from benchmarks.databases import Databases
from benchmarks.generator import LoadGenerator
from benchmarks.list_cost import measure_last_pages
from benchmarks.measure import SideBySide
from benchmarks.operations import OPERATIONS
from benchmarks.plan import CONNECTIONS, Plan
from benchmarks.process_clock import memory_megabytes
from benchmarks.progress import say
from benchmarks.results import CPU, MEMORY, Quantity, Results
from benchmarks.round_trips import count_round_trips
from benchmarks.running import RunningSubject, start_all
from benchmarks.seeding import seed_all
from benchmarks.start_up import measure_start_ups
from benchmarks.subjects import POSTGRESQL, Subject
from tests.kernel.processes.guardian import Guardian
from tests.kernel.processes.postgresql_server import PostgresServer


@dataclass(frozen=True)
class Finished:
    results: Results
    drift: float
    postgresql_version: str
    why_it_stopped: str | None = None
    """None if all was measured."""


def run(plan: Plan) -> Finished:
    with ExitStack() as stack:
        directory = Path(mkdtemp(prefix="benchmark-"))
        guardian = stack.enter_context(Guardian(directory))
        server = None
        if POSTGRESQL in plan.databases:
            server = stack.enter_context(PostgresServer.start(durable=True))
        databases = Databases(server, directory)
        version = databases.postgresql_version() if server else ""
        generator = stack.enter_context(LoadGenerator())
        bench = Bench(directory, guardian, databases, generator, Results())
        calibration = Calibration()

        subjects = plan.subjects()
        why_it_stopped = None
        try:
            measure_side_by_side(bench, subjects, plan, calibration)
            say("counting round trips")
            count_round_trips(bench, [one for one in subjects if one.database == POSTGRESQL])
            measure_last_pages(bench, subjects, plan)
        except (RuntimeError, OSError, TimeoutError, KeyboardInterrupt) as error:
            # What was measured until then took minutes, and is of use.
            why_it_stopped = f"{type(error).__name__}: {error}"

        bench.results.scale(CPU, calibration.best * 1e6)
        drift = calibration.worst / calibration.best
        return Finished(bench.results, drift, version, why_it_stopped)


def measure_side_by_side(
    bench: Bench, subjects: Sequence[Subject], plan: Plan, calibration: Calibration
) -> None:
    with ExitStack() as stack:
        everyone = [bench.place(subject, subject.name) for subject in subjects]
        for running in everyone:
            stack.callback(running.stop)
        say("starting everybody")
        start_all(everyone)
        say("measuring start-up")
        measure_start_ups(everyone, plan, bench.results)
        say("making the items to read")
        seed_all(everyone, plan.items)
        side_by_side = SideBySide(bench.generator, calibration, bench.results)
        for number in range(plan.rounds):
            measure_round(plan, number, everyone, side_by_side)
            for running in everyone:
                quantity = Quantity(MEMORY, running.subject.database)
                memory = memory_megabytes(running.pid)
                bench.results.record(quantity, running.subject.name, memory)


def measure_round(
    plan: Plan, number: int, everyone: Sequence[RunningSubject], side_by_side: SideBySide
) -> None:
    for operation in OPERATIONS:
        for connections in CONNECTIONS:
            say(f"round {number + 1} of {plan.rounds}: {operation}, {connections} connections")
            side_by_side.measure(everyone, operation, connections, plan.seconds)
