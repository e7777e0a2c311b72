"""The load generator: a process of its own that takes its orders, line by line, as JSON.

`prepare` connects to a subject, in place of what was connected there, and warms up; `go` is one
burst on these connections. So bursts on several subjects can take turns, and the one who orders
them can look at clocks in between.
"""

import asyncio
import gc
import json
import sys
from collections import defaultdict
from collections.abc import Sequence
from functools import partial
from time import perf_counter, process_time
from typing import Any

import uvloop

from benchmarks.connection import Connection, UnexpectedResponse
from benchmarks.operations import Operation, operations

WARM_UP_SECONDS = 0.05
PATIENCE_SECONDS = 60.0


class Load:
    """The load on one subject."""

    def __init__(self) -> None:
        self._port = 0
        self._operations: Sequence[Operation] = ()
        self._connections: list[Connection] = []
        self._done: asyncio.Future[None] = asyncio.Future()
        self._busy = 0

    async def prepare(
        self, port: int, operation: str, connections: int, item_ids: Sequence[str]
    ) -> dict[str, Any]:
        for connection in self._connections:
            connection.close()
        self._port = port
        self._operations = list(operations(operation, connections, item_ids))
        self._connections = [await self._open(each) for each in self._operations]
        await self._run(WARM_UP_SECONDS)
        gc.collect()
        return {}

    async def go(self, seconds: float) -> dict[str, Any]:
        started, cpu = perf_counter(), process_time()
        await self._run(seconds)
        return {
            "seconds": perf_counter() - started,
            "generator_seconds": process_time() - cpu,
            "latencies": [value for one in self._connections for value in one.latencies],
        }

    async def _open(self, operation: Operation) -> Connection:
        make = partial(Connection, operation, self._fail)
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(make, "127.0.0.1", self._port)
        return connection

    async def _run(self, seconds: float) -> None:
        # A server may close what was idle while the others had their turns.
        self._connections = [
            connection if connection.is_open else await self._open(operation)
            for connection, operation in zip(self._connections, self._operations, strict=True)
        ]
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


async def take_orders() -> None:
    loads: defaultdict[int, Load] = defaultdict(Load)
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        order = json.loads(line)
        load = loads[order["port"]]
        try:
            if order.pop("step") == "prepare":
                response = await load.prepare(**order)
            else:
                response = await load.go(order["seconds"])
        except (UnexpectedResponse, OSError, TimeoutError) as error:
            response = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(response), flush=True)


if __name__ == "__main__":
    # A collection in the middle of a burst would look like a slow response.
    gc.disable()
    uvloop.run(take_orders())
