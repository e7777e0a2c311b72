"""The items that every subject starts with, made through its own API."""

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from itertools import repeat

from benchmarks.resource import ITEM, PREFIX
from benchmarks.running import HOST, RunningSubject


def seed(running: RunningSubject, count: int) -> None:
    connection = HTTPConnection(HOST, running.port, timeout=60)
    body, headers = json.dumps(ITEM), {"content-type": "application/json"}
    for _ in range(count):
        connection.request("POST", f"{PREFIX}/", body, headers)
        response = connection.getresponse()
        content = response.read()
        if response.status != 201:
            raise RuntimeError(f"{running.subject}: {response.status} {content!r}")
        running.item_ids.append(json.loads(content)["id"])
    connection.close()


def seed_all(everyone: Sequence[RunningSubject], count: int) -> None:
    with ThreadPoolExecutor(len(everyone)) as pool:
        list(pool.map(seed, everyone, repeat(count)))
