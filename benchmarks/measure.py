"""One burst of load on one subject."""

from benchmarks.calibration import Calibration
from benchmarks.generator import LoadGenerator, Outcome
from benchmarks.process_clock import cpu_seconds
from benchmarks.results import CPU, P50, P99, THROUGHPUT, Quantity, Results
from benchmarks.running import RunningSubject


class Bursts:
    def __init__(
        self, generator: LoadGenerator, calibration: Calibration, results: Results
    ) -> None:
        self._generator = generator
        self._calibration = calibration
        self._results = results

    def measure(
        self, running: RunningSubject, operation: str, connections: int, seconds: float
    ) -> None:
        outcome, paces = self._burst(running, operation, connections, seconds)
        values = {
            CPU: paces / outcome.requests,
            THROUGHPUT: outcome.requests / outcome.seconds,
            P50: outcome.p50 * 1e3,
            P99: outcome.p99 * 1e3,
        }
        subject = running.subject
        for metric, value in values.items():
            quantity = Quantity(metric, subject.database, operation, connections)
            self._results.record(quantity, subject.name, value)
        name = f"{subject.name}, {subject.database}, {operation}, {connections} connections"
        self._results.busiest_generator.append((outcome.generator_share, name))

    def _burst(
        self, running: RunningSubject, operation: str, connections: int, seconds: float
    ) -> tuple[Outcome, float]:
        """Return the outcome, and the CPU time as a multiple of the pace."""
        try:
            self._generator.prepare(running.port, operation, connections, running.item_ids)
            before = self._calibration.pace()
            cpu = cpu_seconds(running.pid)
            outcome = self._generator.go(seconds)
            cpu = cpu_seconds(running.pid) - cpu
            after = self._calibration.pace()
        except RuntimeError as error:
            raise RuntimeError(running.report(f"failed at {operation}: {error}")) from error
        return outcome, cpu * 2 / (before + after)
