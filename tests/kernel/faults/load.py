"""Load on a service whose database fails, and an account of what was acknowledged."""

import asyncio
import time
from typing import Any, Self
from uuid import uuid4

from tests.kernel.faults.keep_alive_client import KeepAliveClient, Response
from tests.kernel.faults.postgresql_service import assert_unavailable
from tests.kernel.integration.service import PRODUCTS

CLIENTS = 20


class Load:
    """Clients that get, list and create all the time, each on its one connection, for as long as
    the block lasts.

    A response that is neither good nor a 503 as it should be, and a connection that is reset, fail
    the block.
    """

    def __init__(self, port: int) -> None:
        self.rejections = 0
        self.created: dict[str, str] = {}
        self.not_created: set[str] = set()
        self._port = port
        self._is_over = False
        self._last_created = [0.0] * CLIENTS
        self._clients = asyncio.TaskGroup()

    async def __aenter__(self) -> Self:
        await self._clients.__aenter__()
        for number in range(CLIENTS):
            self._clients.create_task(self._run(number))
        return self

    async def __aexit__(self, *error: Any) -> None:
        self._is_over = True
        await self._clients.__aexit__(*error)

    async def each_creates(self) -> None:
        """Return when each client has sent a POST after this moment that got 201."""
        began = time.monotonic()
        while min(self._last_created) < began:
            await asyncio.sleep(0.002)

    async def is_not_created(self) -> None:
        """Return when another POST was rejected and nothing was changed."""
        before = len(self.not_created)
        while len(self.not_created) == before:
            await asyncio.sleep(0.002)

    async def is_rejected(self) -> None:
        """Return when another request was rejected."""
        rejections = self.rejections
        while self.rejections == rejections:
            await asyncio.sleep(0.002)

    async def _run(self, number: int) -> None:
        path = PRODUCTS
        async with KeepAliveClient(self._port) as client:
            while not self._is_over:
                name = uuid4().hex
                await self._ask(client, "GET", path)
                await self._ask(client, "GET", f"{PRODUCTS}?limit=10")
                sent_at = time.monotonic()
                response = await self._ask(client, "POST", PRODUCTS, {"name": name})
                if response.status == 201:
                    path = response.headers["location"]
                    self.created[name] = response.json()["id"]
                    self._last_created[number] = sent_at
                elif "Nothing was changed" in response.json()["detail"]:
                    self.not_created.add(name)

    async def _ask(
        self, client: KeepAliveClient, method: str, path: str, content: object = None
    ) -> Response:
        response = await client.request(method, path, content)
        if response.status not in {200, 201}:
            assert_unavailable(response)
            self.rejections += 1
            await asyncio.sleep(0.01)  # leave the processor to the start of the server
        return response
