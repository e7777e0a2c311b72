"""The load generator: a process of its own that takes its orders, line by line, as JSON.

A burst has two halves, so that the one who orders it can look at clocks in between: `prepare`
connects and warms up, `go` is what is measured.
"""

import asyncio
import gc
import json
import sys
from collections.abc import Sequence
from functools import partial
from time import perf_counter, process_time
from typing import Any

import uvloop

from benchmarks.connection import Connection, UnexpectedAnswer
from benchmarks.operations import operations

WARM_UP_SECONDS = 0.05
PATIENCE_SECONDS = 60.0


class Burst:
    def __init__(self) -> None:
        self._connections: list[Connection] = []
        self._done: asyncio.Future[None] = asyncio.Future()
        self._busy = 0

    async def prepare(
        self, port: int, operation: str, connections: int, item_ids: Sequence[str]
    ) -> dict[str, Any]:
        for connection in self._connections:
            connection.close()
        loop = asyncio.get_running_loop()
        self._connections = []
        for wanted in operations(operation, connections, item_ids):
            make = partial(Connection, wanted, self._fail)
            _, connection = await loop.create_connection(make, "127.0.0.1", port)
            self._connections.append(connection)
        await self._run(WARM_UP_SECONDS)
        gc.collect()
        return {}

    async def go(self, seconds: float) -> dict[str, Any]:
        started, cpu = perf_counter(), process_time()
        await self._run(seconds)
        elapsed, cpu = perf_counter() - started, process_time() - cpu
        latencies = sorted(value for one in self._connections for value in one.latencies)
        return {
            "requests": len(latencies),
            "seconds": elapsed,
            "p50": quantile(latencies, 0.5),
            "p99": quantile(latencies, 0.99),
            "generator_share": cpu / elapsed,
        }

    async def _run(self, seconds: float) -> None:
        self._done = asyncio.Future()
        self._busy = len(self._connections)
        stop_at = perf_counter() + seconds
        for connection in self._connections:
            connection.run(stop_at, self._finished)
        await asyncio.wait_for(self._done, seconds + PATIENCE_SECONDS)

    def _finished(self) -> None:
        self._busy -= 1
        if not self._busy and not self._done.done():
            self._done.set_result(None)

    def _fail(self, error: Exception) -> None:
        if not self._done.done():
            self._done.set_exception(error)


def quantile(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


async def take_orders() -> None:
    burst = Burst()
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        order = json.loads(line)
        step = burst.prepare if order.pop("step") == "prepare" else burst.go
        try:
            answer = await step(**order)
        except (UnexpectedAnswer, OSError, TimeoutError) as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    # A collection in the middle of a burst would look like a slow answer.
    gc.disable()
    uvloop.run(take_orders())
