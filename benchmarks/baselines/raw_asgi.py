"""The least that an HTTP API can do: an ASGI function, orjson, and a store behind it."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

import orjson

from benchmarks.resource import PREFIX

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Item = dict[str, Any]

COLLECTION = f"{PREFIX}/"
COLUMNS = ("id", "name", "description", "version", "created_at", "updated_at")


class Store(Protocol):
    async def open(self) -> None: ...
    async def close(self) -> None: ...
    async def get(self, item_id: UUID) -> Item | None: ...
    async def list(self, limit: int) -> list[Item]: ...
    async def add(
        self, item_id: UUID, name: str, description: str | None, at: datetime
    ) -> Item: ...
    async def change(
        self, item_id: UUID, version: int, description: str | None, at: datetime
    ) -> Item | None: ...


async def receive_body(receive: Receive) -> bytes:
    message = await receive()
    body: bytes = message["body"]
    while message.get("more_body"):
        message = await receive()
        body += message["body"]
    return body


async def response(
    send: Send, status: int, content: object, headers: tuple[tuple[bytes, bytes], ...] = ()
) -> None:
    # asyncpg's ids are of a subclass of UUID, which orjson leaves to `default`.
    body = orjson.dumps(content, default=str)
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": (
                (b"content-type", b"application/json"),
                (b"content-length", b"%d" % len(body)),
                *headers,
            ),
        }
    )
    await send({"type": "http.response.body", "body": body})


def etag(item: Item) -> tuple[bytes, bytes]:
    return b"etag", b'"%d"' % item["version"]
