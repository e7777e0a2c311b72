"""One keep-alive HTTP connection that sends its next request as soon as it has its response."""

import asyncio
from collections.abc import Callable
from time import perf_counter
from typing import cast

from benchmarks.operations import Operation

END_OF_HEAD = b"\r\n\r\n"


class UnexpectedResponse(Exception):
    """The subject did not do what is measured."""


class Connection(asyncio.Protocol):
    _transport: asyncio.WriteTransport

    def __init__(self, operation: Operation, fail: Callable[[Exception], None]) -> None:
        self.latencies: list[float] = []
        self._operation = operation
        self._expected = operation.expected_status
        self._fail = fail
        self._unread = b""
        self._stop_at = 0.0
        self._sent_at = 0.0
        self._finished: Callable[[], None] | None = None
        self.is_open = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)
        self.is_open = True

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_open = False
        if self._finished:
            self._fail(UnexpectedResponse(f"the connection was lost: {exc}"))

    def run(self, stop_at: float, finished: Callable[[], None]) -> None:
        """Send until `stop_at`, once at least, and call `finished` after the last response."""
        self.latencies = []
        self._stop_at, self._finished = stop_at, finished
        self._send()

    def close(self) -> None:
        self._finished = None
        self._transport.close()

    def _send(self) -> None:
        self._sent_at = perf_counter()
        self._transport.write(self._operation.request())

    def data_received(self, data: bytes) -> None:
        if self._unread:
            data = self._unread + data
        end = data.find(END_OF_HEAD)
        if end < 0 or len(data) < end + 4 + content_length(data, end):
            self._unread = data
            return
        now = perf_counter()
        self._unread = b""
        self.latencies.append(now - self._sent_at)
        if data[9:12] != self._expected:
            self._finished = None
            self._fail(UnexpectedResponse(data[:600].decode(errors="replace")))
            return
        self._operation.on_response(data[:end])
        if now < self._stop_at:
            self._send()
        elif self._finished:
            finished, self._finished = self._finished, None
            finished()


def content_length(data: bytes, end_of_head: int) -> int:
    name = b"\r\ncontent-length: "
    start = data.find(name, 0, end_of_head)
    if start < 0:
        start = data[:end_of_head].lower().find(name)
        if start < 0:
            raise UnexpectedResponse(f"no content-length: {data[:end_of_head]!r}")
    start += len(name)
    end = data.find(b"\r", start)
    return int(data[start:end])
