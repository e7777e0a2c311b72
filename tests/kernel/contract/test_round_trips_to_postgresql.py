"""How often each use case waits for the server: what decides its speed over a network."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from types import SimpleNamespace
from uuid import UUID

import pytest
from sqlalchemy import make_url

from adapters.sql.kernel.execution import connection_queue
from adapters.sql.kernel.postgresql import database as postgresql
from application.kernel.idempotency import Idempotency
from application.kernel.idempotency_records import recording
from tests.kernel.contract.idempotency_records import record
from tests.kernel.counting_ids import CountingIds
from tests.kernel.database_settings import engine_for
from tests.kernel.fixed_clock import FixedClock
from tests.kernel.processes.tcp_proxy import TcpProxy
from tests.kernel.warehouse.application import ProductService
from tests.kernel.warehouse.domain import Product
from tests.kernel.warehouse.storages import SqlStorage

# A client asks for a response by a simple query or, after extended ones, by Sync.
ASKS_FOR_A_RESPONSE = (b"Q", b"S")


@dataclass
class RoundTrips:
    made: int = 0

    def count(self, message: bytes) -> bool:
        """Look at a client's message; never ask for a fault."""
        self.made += message[:1] in ASKS_FOR_A_RESPONSE
        return False


@pytest.fixture
def round_trips() -> RoundTrips:
    return RoundTrips()


@pytest.fixture
async def storage(postgresql_url: str, round_trips: RoundTrips) -> AsyncIterator[SqlStorage]:
    server = make_url(postgresql_url)
    async with TcpProxy(server.host or "localhost", server.port or 5432) as proxy:
        proxy.drop_next_response(round_trips.count)
        url = server.set(host=proxy.host, port=proxy.port)
        storage = SqlStorage(engine_for(url.render_as_string(hide_password=False), pool_size=1))
        yield storage
        await storage.close()


@pytest.fixture
def idempotency(storage: SqlStorage) -> Idempotency:
    return Idempotency(storage.units_of_work, FixedClock(), timedelta(hours=1))


@pytest.fixture
async def service(storage: SqlStorage, round_trips: RoundTrips) -> ProductService:
    """A service whose connection is open and knows all of its statements."""
    service = ProductService(storage.units_of_work, FixedClock(), CountingIds())
    await use_everything(service)
    assert round_trips.made > 0
    round_trips.made = 0
    return service


async def use_everything(service: ProductService) -> None:
    item = await service.create("lamp", None)
    await service.change(item.id, name="a better lamp")
    await service.page(None, 10)
    await service.page(item.id, 10)
    await service.delete(item.id)
    await service.create("the one that the tests use", None)
    with recording_as("create"):
        item = await service.create("desk", None)
    with recording_as("change"):
        await service.change(item.id, name="a better desk")
    with recording_as("delete"):
        await service.delete(item.id)


def recording_as(key: str) -> AbstractContextManager[None]:
    return recording(lambda _item: record(key))


ITEM_ID = UUID(int=2)


async def test_get_makes_one(service: ProductService, round_trips: RoundTrips) -> None:
    await service.get(ITEM_ID)

    assert round_trips.made == 1


@pytest.mark.parametrize("after", [None, UUID(int=1)])
async def test_a_page_makes_one(
    service: ProductService, round_trips: RoundTrips, after: UUID | None
) -> None:
    await service.page(after, 10)

    assert round_trips.made == 1


async def test_create_makes_one(service: ProductService, round_trips: RoundTrips) -> None:
    await service.create("chair", None)

    assert round_trips.made == 1


async def test_change_makes_two(service: ProductService, round_trips: RoundTrips) -> None:
    await service.change(ITEM_ID, name="table")

    assert round_trips.made == 2


@pytest.mark.parametrize(
    ("use", "expected"),
    [
        (lambda service: service.get(ITEM_ID), 2),
        (lambda service: service.page(None, 10), 2),
        (lambda service: service.create("chair", None), 2),
        (lambda service: service.change(ITEM_ID, name="table"), 3),
    ],
    ids=["get", "page", "create", "change"],
)
async def test_the_first_use_after_a_pause_makes_one_more(
    service: ProductService,
    round_trips: RoundTrips,
    monkeypatch: pytest.MonkeyPatch,
    use: Callable[[ProductService], Awaitable[object]],
    expected: int,
) -> None:
    """A network may have forgotten the connection, and a read that waits for it would take as long
    as its deadline: so the connection is probed first, with a limit of its own."""
    advance_time(monkeypatch, postgresql.PROVEN_FOR_SECONDS)

    await use(service)

    assert round_trips.made == expected


def advance_time(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Make it so much later for connections."""
    clock = SimpleNamespace(monotonic=lambda: time.monotonic() + seconds)
    for module in (postgresql, connection_queue):
        monkeypatch.setattr(module, "time", clock)


async def test_replace_makes_two(service: ProductService, round_trips: RoundTrips) -> None:
    await service.change(ITEM_ID, name="table", description=None)

    assert round_trips.made == 2


async def test_delete_makes_two(service: ProductService, round_trips: RoundTrips) -> None:
    await service.delete(ITEM_ID)

    assert round_trips.made == 2


async def test_create_with_a_record_makes_one(
    service: ProductService, round_trips: RoundTrips
) -> None:
    with recording_as("key"):
        await service.create("chair", None)

    assert round_trips.made == 1


async def test_change_with_a_record_makes_two(
    service: ProductService, round_trips: RoundTrips
) -> None:
    with recording_as("key"):
        await service.change(ITEM_ID, name="table")

    assert round_trips.made == 2


async def test_delete_with_a_record_makes_two(
    service: ProductService, round_trips: RoundTrips
) -> None:
    with recording_as("key"):
        await service.delete(ITEM_ID)

    assert round_trips.made == 2


async def test_a_second_create_makes_two(
    service: ProductService, round_trips: RoundTrips, idempotency: Idempotency
) -> None:
    """The write that is rejected, and the query for the response of the first request."""

    async def create() -> Product:
        return await service.create("chair", None)

    for _ in range(3):
        round_trips.made = 0
        await idempotency.once("key", b"print", create, lambda item: item.id.bytes)

    assert round_trips.made == 2
