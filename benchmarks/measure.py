"""Subjects under load, side by side."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from benchmarks.calibration import Calibration
from benchmarks.generator import LoadGenerator, Outcome
from benchmarks.process_clock import cpu_seconds
from benchmarks.results import CPU, P50, P99, THROUGHPUT, Quantity, Results
from benchmarks.running import RunningSubject

TURNS = 8
"""How many bursts on each subject make one measurement. The machine changes its pace within tenths
of a second, so that those who are compared have to take turns as often."""


@dataclass
class _Taken:
    running: RunningSubject
    outcomes: list[Outcome] = field(default_factory=list)
    paces: float = 0.0
    """The CPU time, as a multiple of the pace."""


class SideBySide:
    def __init__(
        self, generator: LoadGenerator, calibration: Calibration, results: Results
    ) -> None:
        self._generator = generator
        self._calibration = calibration
        self._results = results

    def measure(
        self,
        everyone: Sequence[RunningSubject],
        operation: str,
        connections: int,
        seconds: float,
    ) -> None:
        """Measure each for so many seconds in all."""
        for running in everyone:
            with _named(running, operation):
                self._generator.prepare(running.port, operation, connections, running.item_ids)
        taken = [_Taken(running) for running in everyone]
        pace = self._calibration.pace()
        for turn in range(TURNS):
            # The order alternates, so that no subject always runs after the slowest.
            for one in taken if turn % 2 == 0 else reversed(taken):
                pace = self._burst(one, pace, operation, seconds / TURNS)
        for one in taken:
            self._record(one, operation, connections)

    def _burst(self, taken: _Taken, pace_before: float, operation: str, seconds: float) -> float:
        """Load it for a moment, and return the pace after that."""
        running = taken.running
        with _named(running, operation):
            cpu = cpu_seconds(running.pid)
            outcome = self._generator.go(running.port, seconds)
            cpu = cpu_seconds(running.pid) - cpu
        pace = self._calibration.pace()
        taken.outcomes.append(outcome)
        taken.paces += cpu * 2 / (pace_before + pace)
        return pace

    def _record(self, taken: _Taken, operation: str, connections: int) -> None:
        subject, outcome = taken.running.subject, Outcome.of(taken.outcomes)
        values = {
            CPU: taken.paces / outcome.requests,
            THROUGHPUT: outcome.requests / outcome.seconds,
            P50: outcome.quantile(0.5) * 1e3,
            P99: outcome.quantile(0.99) * 1e3,
        }
        for metric, value in values.items():
            quantity = Quantity(metric, subject.database, operation, connections)
            self._results.record(quantity, subject.name, value)
        name = f"{subject.name}, {subject.database}, {operation}, {connections} connections"
        share = outcome.generator_seconds / outcome.seconds
        self._results.busiest_generator.append((share, name))


@contextmanager
def _named(running: RunningSubject, operation: str) -> Iterator[None]:
    """Say of a failure whose it is, and what its log says."""
    try:
        yield
    except RuntimeError as error:
        raise RuntimeError(running.report(f"failed at {operation}: {error}")) from error
