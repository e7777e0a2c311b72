import asyncio
import re
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Self

from tests.kernel.faults.service_log import SIGNS_OF_A_TRACEBACK
from tests.kernel.processes.free_port import free_port
from tests.kernel.processes.service_process import ServiceProcess
from tests.kernel.soak.account import TRACEBACK, WRONG_END, Account
from tests.kernel.soak.plan import POOL_SIZE

WARM_UP_SHARE = 0.2
FEWEST_SAMPLES = 15
SUCCESS = re.compile('"status":2')
TRACE_LINES = 40
MOST_OF_A_TRACE = 2_000


class Lives:
    """The service: one process after the other, all on the same port."""

    def __init__(self, url: str, directory: Path, account: Account) -> None:
        self.port = free_port()
        self.number = 0
        self.killed: set[int] = set()
        self.terminated: set[int] = set()
        self.service: ServiceProcess
        self._settings = {
            "APP_DATABASE_URL": url,
            "APP_DATABASE_POOL_SIZE": str(POOL_SIZE),
            "APP_PORT": str(self.port),
        }
        self._directory = directory
        self._account = account
        self._end = AsyncExitStack()
        self._samples: list[tuple[int, int]] = []

    async def begin(self) -> None:
        self.number += 1
        self._samples = []
        service = ServiceProcess(self._settings, cwd=self._directory)
        self.service = await self._end.enter_async_context(service)

    async def kill(self) -> None:
        self.killed.add(self.number)
        self.service.kill()
        await self._bury()

    async def terminate(self) -> None:
        """Send SIGTERM, and check that the service ends in order."""
        self.terminated.add(self.number)
        self.service.terminate()
        code = await self.service.wait()
        if code != 0:
            self._account.count(WRONG_END, f"it ended with {code}")
        await self._bury()

    async def sample_memory(self, over: asyncio.Event) -> None:
        while not over.is_set():
            with suppress(OSError, IndexError):  # it has just ended
                responses = self._account.counts["responses"]
                self._samples.append((responses, self.service.memory_bytes()))
            await asyncio.sleep(1)

    async def __aenter__(self) -> Self:
        await self.begin()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._end.aclose()

    async def _bury(self) -> None:
        service = self.service
        await self._end.aclose()
        if (growth := growth_of(self._samples)) is not None:
            self._account.growths.append(growth)
        lines = (await asyncio.to_thread(lambda: service.log)).splitlines()
        self._account.counts["lines of log"] += len(lines)
        self._account.log_tail.extend(line for line in lines if not SUCCESS.search(line))
        for number, line in enumerate(lines):
            if any(sign in line for sign in SIGNS_OF_A_TRACEBACK):
                trace = "\n".join(lines[number : number + TRACE_LINES])
                self._account.count(TRACEBACK, trace[:MOST_OF_A_TRACE])


def growth_of(samples: Sequence[tuple[int, int]]) -> int | None:
    """Return by how much the memory grew after the first fifth of the responses, or None if the
    process did not live long enough. A sample is the number of responses and the memory."""
    if len(samples) < FEWEST_SAMPLES:
        return None
    (first, _), (last, memory) = samples[0], samples[-1]
    warm = first + WARM_UP_SHARE * (last - first)
    return memory - next(each for responses, each in samples if responses >= warm)
