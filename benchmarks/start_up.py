"""From the start of the process to its first response from the database."""

from collections.abc import Sequence

from benchmarks.plan import Plan
from benchmarks.results import START, Quantity, Results
from benchmarks.running import RunningSubject


def measure_start_ups(everyone: Sequence[RunningSubject], plan: Plan, results: Results) -> None:
    for _ in range(plan.start_ups):
        for running in everyone:
            if running.subject.name not in plan.start_up_of:
                continue
            running.stop()
            quantity = Quantity(START, running.subject.database)
            results.record(quantity, running.subject.name, running.start())
