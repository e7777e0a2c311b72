"""A client that keeps its connection, and notices when the service resets it."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any, Self

from tests.kernel.integration.service import PRODUCTS


@dataclass(frozen=True)
class Response:
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class KeepAliveClient:
    """`async with KeepAliveClient(port) as client: await client.request("GET", PRODUCTS)`

    It never connects again by itself: a connection that ends without `Connection: close` is an
    `IncompleteReadError` or a `ConnectionError`.
    """

    def __init__(self, port: int) -> None:
        self._port = port

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()

    async def request(
        self, method: str, path: str = PRODUCTS, content: Any = None, **headers: str
    ) -> Response:
        body = b"" if content is None else json.dumps(content).encode()
        fields = {"Host": "test", "Content-Length": str(len(body)), **headers}
        if body:
            fields["Content-Type"] = "application/json"
        head = [f"{method} {path} HTTP/1.1", *(f"{name}: {fields[name]}" for name in fields)]
        self._writer.write("\r\n".join([*head, "", ""]).encode() + body)
        return await self._response()

    async def _response(self) -> Response:
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        status_line, *lines = head.rstrip().split("\r\n")
        headers = {
            name.lower(): value for name, _, value in (line.partition(": ") for line in lines)
        }
        body = await self._reader.readexactly(int(headers.get("content-length", 0)))
        return Response(int(status_line.split()[1]), headers, body)
