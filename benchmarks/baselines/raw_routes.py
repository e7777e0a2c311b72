"""The routes of the raw ASGI baselines."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
from uuid_utils.compat import uuid7

from benchmarks.baselines.raw_asgi import (
    COLLECTION,
    Receive,
    Send,
    Store,
    etag,
    receive_body,
    response,
)


class RawApplication:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        path, method = scope["path"], scope["method"]
        if not path.startswith(COLLECTION):
            found = path == "/health/live"
            await response(send, 200 if found else 404, {"status": "ok" if found else "not found"})
        elif path != COLLECTION:
            item_id = UUID(path[len(COLLECTION) :])
            if method == "GET":
                await self._get(item_id, send)
            else:
                await self._change(item_id, dict(scope["headers"]), receive, send)
        elif method == "GET":
            await self._list(scope["query_string"], send)
        else:
            await self._create(receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        await self._store.open()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._store.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _get(self, item_id: UUID, send: Send) -> None:
        item = await self._store.get(item_id)
        if item is None:
            await response(send, 404, {"title": "Not Found"})
        else:
            await response(send, 200, item, (etag(item),))

    async def _list(self, query: bytes, send: Send) -> None:
        limit = int(query.partition(b"limit=")[2] or b"50")
        await response(send, 200, await self._store.list(limit))

    async def _create(self, receive: Receive, send: Send) -> None:
        wanted = orjson.loads(await receive_body(receive))
        item_id = uuid7()
        item = await self._store.add(
            item_id, wanted["name"], wanted.get("description"), datetime.now(UTC)
        )
        location = f"{COLLECTION}{item_id}".encode()
        await response(send, 201, item, ((b"location", location), etag(item)))

    async def _change(
        self, item_id: UUID, headers: dict[bytes, bytes], receive: Receive, send: Send
    ) -> None:
        wanted = orjson.loads(await receive_body(receive))
        version = int(headers[b"if-match"].strip(b'"'))
        item = await self._store.change(item_id, version, wanted["description"], datetime.now(UTC))
        if item is not None:
            await response(send, 200, item, (etag(item),))
        elif await self._store.get(item_id) is None:
            await response(send, 404, {"title": "Not Found"})
        else:
            await response(send, 412, {"title": "Precondition Failed"})
