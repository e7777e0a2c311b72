import asyncio
from contextlib import AsyncExitStack
from random import Random
from typing import Any

from tests.kernel.faults.keep_alive_client import KeepAliveClient, Response
from tests.kernel.soak.account import RESET, STUCK, TURNED_AWAY, Account
from tests.kernel.soak.lives import Lives

STUCK_SECONDS = 10.0
LATE_ATTEMPTS = 100
PAUSE = (0.05, 0.2)
IN_PROGRESS = b"in progress"


class Client:
    """Sends each request until there is a response that says what became of it."""

    def __init__(self, lives: Lives, account: Account, chance: Random, over: asyncio.Event) -> None:
        self._lives = lives
        self._account = account
        self._chance = chance
        self._over = over
        self._connection: KeepAliveClient | None = None
        self._end_of_connection = AsyncExitStack()
        self._life = 0

    async def send(
        self, method: str, path: str, content: Any = None, **headers: str
    ) -> Response | None:
        """Return None if there is no such response long after the end of the faults."""
        late = 0
        while late < LATE_ATTEMPTS:
            response = await self._try(method, path, content, headers)
            if response and _is_definite(response):
                return response
            late += self._over.is_set()
            self._account.count("sent again")
            await asyncio.sleep(self._chance.uniform(*PAUSE))
        self._account.count(STUCK, f"{method} {path} {headers}: no definite response in the end")
        return None

    async def close(self) -> None:
        self._connection = None
        await self._end_of_connection.aclose()

    async def _try(
        self, method: str, path: str, content: Any, headers: dict[str, str]
    ) -> Response | None:
        what = f"{method} {path} {headers} {content or ''}"
        is_new = self._connection is None
        try:
            async with asyncio.timeout(STUCK_SECONDS):
                connection = self._connection or await self._connect()
                response = await connection.request(method, path, content, **headers)
        except TimeoutError:
            self._account.count(STUCK, what)
        except ConnectionRefusedError:
            self._account.count("refused connections")
        except (OSError, asyncio.IncompleteReadError) as error:
            self._account.count(self._name_of_end(is_new), f"{what}: {error!r}")
        else:
            self._account.count_status(response.status, f"{what}: {response}")
            if response.headers.get("connection") == "close":
                await self.close()
            return response
        await self.close()
        return None

    async def _connect(self) -> KeepAliveClient:
        self._life = self._lives.number
        client = KeepAliveClient(self._lives.port)
        self._connection = await self._end_of_connection.enter_async_context(client)
        return self._connection

    def _name_of_end(self, is_new: bool) -> str:
        if self._life in self._lives.killed:
            return "reset by a kill"
        # The system completes connections before the service accepts them, and would reset those
        # that it has not accepted when it closes its socket.
        if is_new and self._life in self._lives.terminated:
            return TURNED_AWAY
        return RESET


def _is_definite(response: Response) -> bool:
    is_open = response.status >= 500 or (response.status == 409 and IN_PROGRESS in response.body)
    return not is_open
