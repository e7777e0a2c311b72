"""Faults that every database knows. Each lasts for the seconds that it is given, and is undone."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from functools import partial
from random import Random
from typing import Any

from tests.kernel.faults.malformed_requests import MALFORMED
from tests.kernel.faults.raw_http import send_bytes
from tests.kernel.integration.service import PRODUCTS
from tests.kernel.soak.account import UNEXPECTED, Account
from tests.kernel.soak.ledger import OWNERLESS
from tests.kernel.soak.lives import Lives

Step = Callable[[], Awaitable[object]]
Fault = Callable[[float], Awaitable[None]]

HANG_UPS = 50
MOST_SECONDS_UNTIL_HANG_UP = 0.05
MALFORMED_AT_ONCE = 20
PAUSE = 0.5


def common_faults(lives: Lives, account: Account, chance: Random) -> Mapping[str, Fault]:
    return {
        "service killed": partial(between, lives.kill, lives.begin),
        "service shut down": partial(between, lives.terminate, lives.begin),
        "clients that hang up": partial(again_and_again, partial(_hang_up, lives, chance)),
        "malformed requests": partial(
            again_and_again, partial(_send_nonsense, lives, account, chance)
        ),
    }


async def between(begin: Step, end: Step, seconds: float) -> None:
    try:
        await begin()
        await asyncio.sleep(seconds)
    finally:
        await end()


async def again_and_again(do: Step, seconds: float) -> None:
    """Do something that lasts no time by itself, with pauses, for as long."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while True:
                await do()
                await asyncio.sleep(PAUSE)


def at_once(call: Callable[..., object], *arguments: Any) -> Step:
    async def step() -> None:
        call(*arguments)

    return step


def blocking(call: Callable[..., object], *arguments: Any) -> Step:
    """Return a step that is done in a thread, and to its end, before what undoes it may come."""

    async def step() -> None:
        doing = asyncio.ensure_future(asyncio.to_thread(call, *arguments))
        try:
            await asyncio.shield(doing)
        finally:
            await asyncio.wait([doing])

    return step


async def _hang_up(lives: Lives, chance: Random) -> None:
    clients = (_create_and_hang_up(lives.port, chance) for _ in range(HANG_UPS))
    await asyncio.gather(*clients)


async def _create_and_hang_up(port: int, chance: Random) -> None:
    """Send a request, or a part of it, and leave before the response comes, or after."""
    body = f'{{"name": "{OWNERLESS} {chance.random()}"}}'
    request = (
        f"POST {PRODUCTS} HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n{body}"
    ).encode()
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request[: chance.choice([len(request), chance.randrange(len(request))])])
        await asyncio.sleep(chance.uniform(0, MOST_SECONDS_UNTIL_HANG_UP))
    finally:
        writer.transport.abort()


async def _send_nonsense(lives: Lives, account: Account, chance: Random) -> None:
    async def send(name: str) -> None:
        responses = await send_bytes(lives.service, MALFORMED[name])
        if [response.status // 100 for response in responses] != [4]:
            account.count(UNEXPECTED, f"malformed request, {name}: {responses}")

    names = chance.sample(list(MALFORMED), MALFORMED_AT_ONCE)
    await asyncio.gather(*(send(name) for name in names))
