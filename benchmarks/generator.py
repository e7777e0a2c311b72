"""The load generator as its user sees it."""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True)
class Outcome:
    requests: int
    seconds: float
    p50: float
    p99: float
    generator_share: float
    """How much of one core the load generator used."""


class LoadGenerator:
    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.load"],
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

    def go(self, seconds: float) -> Outcome:
        return Outcome(**self._order(step="go", seconds=seconds))

    def _order(self, **order: object) -> dict[str, Any]:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer
