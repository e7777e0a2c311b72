"""A baseline that responds with something else than the service would be no comparison."""

import asyncio
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from uuid import UUID

import httpx
import pytest

from benchmarks.resource import PREFIX
from benchmarks.running import RunningSubject
from benchmarks.subjects import POSTGRESQL, SERVICE, SQLITE, Subject, subjects_of
from tests.kernel.processes.guardian import Guardian
from tests.kernel.processes.postgresql_server import PostgresServer

pytestmark = pytest.mark.slow

BASELINES = [
    subject
    for database in (POSTGRESQL, SQLITE)
    for subject in subjects_of(database)
    if subject.name != SERVICE
]


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with PostgresServer.start() as started:
        yield started


@pytest.fixture(params=BASELINES, ids=lambda one: f"{one.name}-{one.database}")
def client(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[httpx.Client]:
    subject: Subject = request.param
    url = f"sqlite+aiosqlite:///{tmp_path / 'baseline.sqlite3'}"
    if subject.database == POSTGRESQL:
        server: PostgresServer = request.getfixturevalue("server")
        asyncio.run(server.create_database(subject.name))
        url = server.url(subject.name)
    with (
        Guardian() as guardian,
        RunningSubject(subject, url, tmp_path / "log", guardian) as running,
        httpx.Client(base_url=f"http://127.0.0.1:{running.port}", trust_env=False) as started,
    ):
        yield started


def test_it_responds_like_the_service(client: httpx.Client) -> None:
    created = client.post(f"{PREFIX}/", json={"name": "one", "description": "first"})
    item = created.json()
    path = f"{PREFIX}/{item['id']}"
    assert created.status_code == 201
    assert created.headers["location"].endswith(path)
    assert created.headers["etag"] == '"1"'
    assert_is_item(item, version=1, description="first")

    got = client.get(path)
    assert got.status_code == 200
    assert got.headers["etag"] == '"1"'
    assert got.json() == item

    second = client.post(f"{PREFIX}/", json={"name": "one", "description": None}).json()
    assert client.get(f"{PREFIX}/?limit=50").json() == [item, second]
    assert client.get(f"{PREFIX}/?limit=1").json() == [item]

    changed = patch(client, path, '"1"')
    assert changed.status_code == 200
    assert changed.headers["etag"] == '"2"'
    assert_is_item(changed.json(), version=2, description="changed")
    assert changed.json()["created_at"] == item["created_at"]
    assert changed.json()["updated_at"] > item["updated_at"]
    assert client.get(path).json() == changed.json()

    assert patch(client, path, '"1"').status_code == 412
    assert client.get(f"{PREFIX}/{UUID(int=7)}").status_code == 404
    assert client.get("/health/live").status_code == 200


def patch(client: httpx.Client, path: str, if_match: str) -> httpx.Response:
    return client.patch(path, json={"description": "changed"}, headers={"if-match": if_match})


def assert_is_item(item: dict[str, object], version: int, description: str) -> None:
    assert list(item) == ["id", "name", "description", "version", "created_at", "updated_at"]
    assert UUID(str(item["id"])).version == 7
    assert (item["name"], item["description"], item["version"]) == ("one", description, version)
    for name in ("created_at", "updated_at"):
        time = datetime.fromisoformat(str(item[name]))
        assert time.utcoffset() is not None
        assert not time.utcoffset()
