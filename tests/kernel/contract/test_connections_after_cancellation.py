"""Every connection comes back to its pool, however a unit of work ends."""

import asyncio

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from application.kernel.errors import AlreadyExists
from tests.kernel.contract.connections_in_use import all_are_released
from tests.kernel.contract.moments import cancel, moments
from tests.kernel.contract.products import all_stored, new_product, store
from tests.kernel.warehouse.storages import SqlStorage


@pytest.mark.parametrize("reads", [False, True])
async def test_connections_come_back_after_cancellations(
    engine: AsyncEngine, sql_storage: SqlStorage, reads: bool
) -> None:
    async def work(number: int) -> None:
        async with sql_storage.units_of_work.for_writing() as unit:
            unit.products.add(new_product(number))
            unit.products.add(new_product(number + 1))
            if reads:
                await unit.products.get(new_product(number).id)
            await unit.commit()

    for number, moment in enumerate(moments()):
        task = asyncio.create_task(work(2 * number))
        await moment()
        await cancel(task)

    assert await all_are_released(engine)
    await store(sql_storage.units_of_work, new_product(1000))
    assert new_product(1000) in await all_stored(sql_storage.units_of_work)


async def test_connections_come_back_from_cancelled_readers(
    engine: AsyncEngine, sql_storage: SqlStorage
) -> None:
    async def read() -> None:
        await all_stored(sql_storage.units_of_work)

    for moment in moments():
        readers = [asyncio.create_task(read()) for _ in range(10)]
        await moment()
        await asyncio.gather(*(cancel(reader) for reader in readers))

    assert await all_are_released(engine)
    await asyncio.gather(*(all_stored(sql_storage.units_of_work) for _ in range(10)))


async def test_connections_come_back_after_rejections(
    engine: AsyncEngine, sql_storage: SqlStorage
) -> None:
    await store(sql_storage.units_of_work, new_product())
    for _ in range(20):
        with pytest.raises(AlreadyExists):
            await store(sql_storage.units_of_work, new_product())

    assert await all_are_released(engine)


async def test_a_unit_that_only_gathers_writes_holds_no_connection(
    engine: AsyncEngine, sql_storage: SqlStorage
) -> None:
    async with sql_storage.units_of_work.for_writing() as unit:
        await unit.products.get(new_product().id)
        unit.products.add(new_product())

        assert await all_are_released(engine)
