"""What one connection of the load generator asks for, again and again, as ready-made bytes."""

import json
import random
from collections.abc import Iterator, Sequence
from itertools import cycle, islice
from typing import Protocol

from benchmarks.resource import CHANGE, ITEM, PREFIX

GET, LIST, POST, PATCH = "GET by id", "list of 50", "POST", "PATCH with If-Match"
OPERATIONS = (GET, LIST, POST, PATCH)


class Operation(Protocol):
    expected_status: bytes

    def request(self) -> bytes: ...
    def on_response(self, head: bytes) -> None: ...


def request_bytes(method: str, path: str, content: object = None, headers: str = "") -> bytes:
    body = b"" if content is None else json.dumps(content).encode()
    if body:
        headers += f"content-type: application/json\r\ncontent-length: {len(body)}\r\n"
    head = f"{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: */*\r\n{headers}\r\n"
    return head.encode() + body


class Repeated:
    """The same few requests in turn."""

    def __init__(self, requests: Iterator[bytes], expected_status: bytes = b"200") -> None:
        self.expected_status = expected_status
        self._requests = requests

    def request(self) -> bytes:
        return next(self._requests)

    def on_response(self, head: bytes) -> None:
        """Nothing in the response matters to the next request."""


class PatchOwnItem:
    """Changes one item that no other connection touches, and keeps its current version."""

    expected_status = b"200"

    def __init__(self, item_id: str) -> None:
        path = f"{PREFIX}/{item_id}"
        self._get = request_bytes("GET", path)
        request = request_bytes("PATCH", path, CHANGE, 'if-match: "%d"\r\n')
        self._before, self._after = request.split(b"%d")
        self._version = b""

    def request(self) -> bytes:
        if not self._version:
            return self._get
        return self._before + self._version + self._after

    def on_response(self, head: bytes) -> None:
        start = head.lower().index(b'\r\netag: "') + len(b'\r\netag: "')
        self._version = head[start : head.index(b'"', start)]


def page(path: str) -> Operation:
    return Repeated(cycle([request_bytes("GET", path)]))


def operations(name: str, connections: int, item_ids: Sequence[str]) -> list[Operation]:
    """One for each connection; any other name is the path of a page."""
    if name == GET:
        shuffled = random.Random(0).sample(item_ids, len(item_ids))
        requests = [request_bytes("GET", f"{PREFIX}/{item_id}") for item_id in shuffled]
        step = len(requests) // connections
        return [Repeated(islice(cycle(requests), n * step, None)) for n in range(connections)]
    if name == LIST:
        return [page(f"{PREFIX}/?limit=50") for _ in range(connections)]
    if name == POST:
        requests = [request_bytes("POST", f"{PREFIX}/", ITEM)]
        return [Repeated(cycle(requests), b"201") for _ in range(connections)]
    if name == PATCH:
        return [PatchOwnItem(item_id) for item_id in item_ids[:connections]]
    return [page(name) for _ in range(connections)]
