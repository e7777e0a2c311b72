"""HTTP as bytes on a socket, for what no client library would send."""

import asyncio
import json
from contextlib import suppress
from typing import Any, NamedTuple

from entrypoints.http.kernel.problems.problem_types import PREFIX, PROBLEM_TYPES
from tests.kernel.processes.service_process import ServiceProcess


class RawResponse(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    def problem(self) -> dict[str, Any]:
        """Return the problem document, and fail if it is none."""
        assert self.headers["content-type"] == "application/problem+json", self
        document: dict[str, Any] = json.loads(self.body)
        assert document["status"] == self.status
        assert {"detail", "instance"} <= document.keys()
        kind = PROBLEM_TYPES[document["type"].removeprefix(PREFIX)]
        assert (kind.status, kind.title) == (self.status, document["title"])
        assert self.headers["x-request-id"] == document["request_id"]
        return document


async def send_bytes(
    service: ServiceProcess, content: bytes, *, patience: float = 10.0
) -> list[RawResponse]:
    """Send the bytes on a new connection and half-close it. Return the responses that arrive until
    the service closes the connection."""
    reader, writer = await asyncio.open_connection(service.host, service.port)
    try:
        writer.write(content)
        with suppress(ConnectionError):
            await writer.drain()
        async with asyncio.timeout(patience):
            received = await reader.read(-1)
    finally:
        writer.close()
    return parsed(received)


def parsed(received: bytes) -> list[RawResponse]:
    """Return the responses in what was received, each of which has its length."""
    responses = []
    while received:
        head, _, received = received.partition(b"\r\n\r\n")
        status_line, *lines = head.decode("latin-1").split("\r\n")
        headers = {
            name.lower(): value.strip()
            for name, _, value in (line.partition(":") for line in lines)
        }
        length = int(headers.get("content-length", 0))
        responses.append(RawResponse(int(status_line.split()[1]), headers, received[:length]))
        received = received[length:]
    return responses
