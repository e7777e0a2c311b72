"""One app for each kind of storage, which are given the same requests and must agree."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Self

import httpx
from fastapi import FastAPI

from adapters.memory.kernel.storage import MemoryStorage
from tests.kernel.counting_ids import CountingIds
from tests.kernel.fixed_clock import FixedClock
from tests.kernel.integration.service import bare_client_of, settings_for
from tests.kernel.warehouse.app import create_app
from tests.kernel.warehouse.sql import metadata


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Response:
    """All that a client sees of a response."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class SameAppOnEachStorage:
    """Starts the apps once. They share one clock, and each counts its ids from one, so that the
    same requests have the same responses to the byte."""

    def __init__(self, urls: Mapping[str, str]) -> None:
        self._urls = urls
        self._clock = FixedClock()
        self._apps: dict[str, FastAPI] = {}
        self._clients: dict[str, httpx.AsyncClient] = {}
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Self:
        for name, url in self._urls.items():
            app = create_app(settings_for(url), clock=self._clock, ids=CountingIds())
            await self._open.enter_async_context(app.router.lifespan_context(app))
            self._apps[name] = app
            self._clients[name] = await self._open.enter_async_context(bare_client_of(app))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._open.aclose()

    async def begin_anew(self) -> None:
        """Empty every storage, and set the clock and the ids back."""
        self._clock.time = FixedClock.time
        for app in self._apps.values():
            container = app.state.container
            container.ids().__init__()
            if isinstance(container.storage(), MemoryStorage):
                container.storage().units_of_work._committed.clear()
                continue
            async with container.engine().begin() as connection:
                for table in metadata.sorted_tables:
                    await connection.execute(table.delete())

    def let_time_pass(self, time: timedelta) -> None:
        self._clock.time += time

    async def send(self, *requests: Request) -> dict[str, list[Response]]:
        """Return the responses of each storage to requests that are sent at the same time."""
        storages = [
            asyncio.gather(*(_send(client, request) for request in requests))
            for client in self._clients.values()
        ]
        responses: Sequence[Any] = await asyncio.gather(*storages)
        return dict(zip(self._clients, responses, strict=True))

    async def same(self, *requests: Request) -> list[Response]:
        """Send requests that do not meet, and return the responses, which must be the same."""
        responses = await self.send(*requests)
        first, *others = responses
        for other in others:
            assert responses[other] == responses[first], f"{other} is not as {first}: {requests}"
        return responses[first]


async def _send(client: httpx.AsyncClient, request: Request) -> Response:
    response = await client.request(
        request.method,
        request.path,
        content=request.body,
        # The id is repeated in the response, and so in what is compared.
        headers={"X-Request-ID": "same", **request.headers},
    )
    return Response(response.status_code, dict(response.headers), response.content)
