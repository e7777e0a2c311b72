"""When to cancel: from at once to after a commit has ended."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any

Moment = Callable[[], Awaitable[object]]


def moments() -> Iterator[Moment]:
    """Ways to wait, one longer than the other: by turns of the loop, then by time."""
    for turns in range(16):
        yield partial(_turns, turns)
    for step in range(1, 30):
        yield partial(asyncio.sleep, step / 5_000)


async def cancel(task: asyncio.Task[Any]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def _turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)
