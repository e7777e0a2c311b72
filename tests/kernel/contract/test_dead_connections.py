"""Connections that died while they were idle, before this process could notice."""

import asyncio
import threading
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from adapters.sql.kernel.postgresql import database as postgresql
from application.kernel.errors import OutcomeUnknown
from application.kernel.idempotency import Idempotency
from tests.kernel.contract.connections_in_use import all_are_released
from tests.kernel.contract.products import all_stored, new_product, next_version, store
from tests.kernel.counting_ids import CountingIds
from tests.kernel.database_settings import engine_for
from tests.kernel.fixed_clock import FixedClock
from tests.kernel.postgresql_databases import end_all_connections
from tests.kernel.warehouse.application import ProductService
from tests.kernel.warehouse.domain import Product
from tests.kernel.warehouse.storages import SqlStorage

POOL_SIZE = 3


@pytest.fixture
async def storage(postgresql_url: str) -> AsyncIterator[SqlStorage]:
    """A storage whose pool is full of idle connections."""
    engine = engine_for(postgresql_url, pool_size=POOL_SIZE)
    storage = SqlStorage(engine)
    await asyncio.gather(*(all_stored(storage.units_of_work) for _ in range(POOL_SIZE)))
    assert await all_are_released(engine)
    yield storage
    await storage.close()


def end_all_unnoticed(url: str) -> None:
    """End all connections while the event loop stands still, so that it cannot notice."""
    thread = threading.Thread(target=end_all_connections, args=(url,))
    thread.start()
    thread.join()


async def test_a_read_is_repeated(storage: SqlStorage, postgresql_url: str) -> None:
    end_all_unnoticed(postgresql_url)

    assert await all_stored(storage.units_of_work) == []


async def test_a_write_first_checks_a_connection_that_was_idle(
    storage: SqlStorage, postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql, "PROVEN_FOR_SECONDS", 0)
    end_all_unnoticed(postgresql_url)

    await store(storage.units_of_work, new_product())

    assert await all_stored(storage.units_of_work) == [new_product()]


async def test_a_transaction_first_checks_a_connection_that_was_idle(
    storage: SqlStorage, postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql, "PROVEN_FOR_SECONDS", 0)
    end_all_unnoticed(postgresql_url)

    async with storage.units_of_work.for_writing() as unit:
        unit.products.add(new_product())
        unit.products.update(next_version(new_product()))
        await unit.commit()

    assert await all_stored(storage.units_of_work) == [next_version(new_product())]


async def test_the_outcome_of_a_write_on_a_connection_just_used_is_unknown(
    storage: SqlStorage, postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql, "PROVEN_FOR_SECONDS", 60)
    end_all_unnoticed(postgresql_url)

    with pytest.raises(OutcomeUnknown):
        await store(storage.units_of_work, new_product())


async def test_with_a_key_the_change_is_still_made_once(
    storage: SqlStorage, postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql, "PROVEN_FOR_SECONDS", 60)
    service = ProductService(storage.units_of_work, FixedClock(), CountingIds())
    idempotency = Idempotency(storage.units_of_work, FixedClock(), timedelta(hours=1))

    async def create() -> Product:
        return await service.create("lamp", None)

    end_all_unnoticed(postgresql_url)
    await idempotency.once("key", b"print", create, lambda _item: b"")

    assert len(await all_stored(storage.units_of_work)) == 1
