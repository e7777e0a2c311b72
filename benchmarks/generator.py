"""The load generator as its user sees it."""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from tests.kernel.processes.environment import environment_without_settings


@dataclass(frozen=True)
class Outcome:
    """What came of a burst, or of several; times are in seconds."""

    seconds: float
    generator_seconds: float
    """The load generator's CPU time."""
    latencies: Sequence[float]

    @classmethod
    def of(cls, bursts: Sequence[Self]) -> Self:
        return cls(
            sum(each.seconds for each in bursts),
            sum(each.generator_seconds for each in bursts),
            [latency for each in bursts for latency in each.latencies],
        )

    @property
    def requests(self) -> int:
        return len(self.latencies)

    def quantile(self, share: float) -> float:
        """Return the latency that this share of the requests stayed below."""
        return sorted(self.latencies)[min(self.requests - 1, int(self.requests * share))]


class LoadGenerator:
    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.load"],
            env=environment_without_settings(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.communicate()

    def prepare(
        self, port: int, operation: str, connections: int, item_ids: Sequence[str] = ()
    ) -> None:
        self._order(
            step="prepare",
            port=port,
            operation=operation,
            connections=connections,
            item_ids=list(item_ids),
        )

    def go(self, port: int, seconds: float) -> Outcome:
        return Outcome(**self._order(step="go", port=port, seconds=seconds))

    def _order(self, **order: object) -> dict[str, Any]:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the load generator has ended")
        response: dict[str, Any] = json.loads(line)
        if "error" in response:
            raise RuntimeError(response["error"])
        return response
