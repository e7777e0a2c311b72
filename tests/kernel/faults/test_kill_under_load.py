"""The service is killed under load, and each client sends again, with its `Idempotency-Key`, what
it got no response for: no item is lost, and none is there twice.

Guards that the idempotency record is committed with the change. With the record in a separate
transaction after the change, the kill falls between the two for some requests, whose changes are
made twice; with the record first, they are lost.
"""

import asyncio
import json
import random
import re
import threading
from itertools import count
from pathlib import Path

import httpx
import pytest

from tests.kernel.integration.service import PRODUCTS
from tests.kernel.processes.free_port import free_port
from tests.kernel.processes.service_process import ServiceProcess

CLIENTS = 30
KILLS = 4
# How many responses the clients get between two kills, at the least.
RESPONSES = 100
MOST_SECONDS_UNTIL_KILL = 0.1


class Client:
    """Speaks HTTP by hand: a slower client would leave the service idle for most of the time,
    and a kill would find nothing under way."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def create(self, name: str) -> tuple[bytes, bytes]:
        """Return head and body of the response, however often it has to be asked for."""
        while True:
            try:
                head, body = await self._try_to_create(name)
                if head.startswith(b"HTTP/1.1 201 "):
                    return head, body
                assert head[9:12] in {b"409", b"503"}, body
            except (OSError, asyncio.IncompleteReadError):
                self.close()
                await asyncio.sleep(0.02)

    def close(self) -> None:
        if self._streams:
            self._streams[1].transport.abort()
            self._streams = None

    async def _try_to_create(self, name: str) -> tuple[bytes, bytes]:
        if self._streams is None:
            self._streams = await asyncio.open_connection(ServiceProcess.host, self._port)
        reader, writer = self._streams
        body = json.dumps({"name": name})
        writer.write(
            f"POST {PRODUCTS} HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n"
            f"Idempotency-Key: {name}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
        )
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head)
        assert length
        return head, await reader.readexactly(int(length[1]))


class Load:
    """Clients that create items, one after the other, and give up on none."""

    def __init__(self, port: int) -> None:
        self.ids: dict[str, str] = {}
        self.replayed = 0
        self._is_over = False
        self._clients = [
            asyncio.create_task(self._run(number, Client(port))) for number in range(CLIENTS)
        ]

    async def responses(self, more: int) -> None:
        """Return when so many more responses have arrived."""
        enough = len(self.ids) + more
        while len(self.ids) < enough:
            await asyncio.sleep(0.001)

    async def end(self) -> None:
        """Return when every request that was sent has its response."""
        self._is_over = True
        await asyncio.gather(*self._clients)

    async def _run(self, number: int, client: Client) -> None:
        for each in count():
            name = f"client-{number}-item-{each}"
            head, body = await client.create(name)
            self.ids[name] = json.loads(body)["id"]
            self.replayed += b"\r\nidempotency-replayed: true\r\n" in head
            if self._is_over:
                break
        client.close()


async def all_items(base_url: str) -> list[tuple[str, str]]:
    """Return name and id of every item, page by page."""
    items = []
    address = f"{PRODUCTS}/?limit=200"
    async with httpx.AsyncClient(base_url=base_url, trust_env=False) as client:
        while address:
            page = await client.get(address)
            items += [(item["name"], item["id"]) for item in page.json()]
            address = page.links.get("next", {}).get("url", "")
    return items


@pytest.fixture(params=["sqlite_file_url", "postgresql_url"])
def url(request: pytest.FixtureRequest) -> str:
    """A database that outlives the service, of each kind in turn."""
    return str(request.getfixturevalue(request.param))


@pytest.mark.slow
async def test_no_item_is_lost_and_none_is_there_twice(url: str, tmp_path: Path) -> None:
    port = free_port()
    settings = {"APP_DATABASE_URL": url, "APP_PORT": str(port)}
    load = Load(port)
    for _ in range(KILLS):
        async with ServiceProcess(settings, cwd=tmp_path) as service:
            await load.responses(RESPONSES)
            # Not by the loop, which has time for it only when nothing is under way.
            moment = random.uniform(0, MOST_SECONDS_UNTIL_KILL)
            threading.Timer(moment, service.kill).start()
            await service.wait()
    async with ServiceProcess(settings, cwd=tmp_path) as service:
        await load.end()
        stored = await all_items(service.base_url)

    assert sorted(stored) == sorted(load.ids.items())
