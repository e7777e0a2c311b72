"""The statement timeout: the database ends a statement that takes too long.

Without `command_timeout` or `server_settings` of `LimitedConnect`, or without
`interrupt_late_statements`, the statements run until the timeout of the test.
"""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr
from sqlalchemy import literal_column, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.sql.kernel.engine import open_database
from adapters.sql.kernel.errors.driver_errors import translated
from adapters.sql.kernel.execution.database import Statement
from application.kernel.errors import StorageUnavailable
from tests.kernel.contract.products import all_stored, new_product, store
from tests.kernel.database_settings import DatabaseSettings, engine_from
from tests.kernel.warehouse.sql import metadata
from tests.kernel.warehouse.storages import SqlStorage

DEADLINE = 0.4
PROMPTLY = 3.0
SLOW = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 60000000) "
    "SELECT count(*) FROM n",
    "postgresql": "SELECT pg_sleep(6)",
}


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    settings = DatabaseSettings(SecretStr(database_url), request_deadline_seconds=DEADLINE)
    engine = engine_from(settings)
    yield engine
    await engine.dispose()


def slow(engine: AsyncEngine) -> Statement:
    """Return a statement that runs for seconds."""
    if engine.dialect.name == "postgresql":
        return select(literal_column("pg_sleep(6)"))
    return select(literal_column(f"({SLOW['sqlite']})"))


async def test_a_late_statement_of_a_unit_is_ended(engine: AsyncEngine) -> None:
    database = open_database(engine, metadata)
    started = time.monotonic()

    with pytest.raises(StorageUnavailable):
        await database.fetch(slow(engine), {})

    assert time.monotonic() - started < PROMPTLY
    await database.close()


async def test_a_late_statement_of_a_transaction_is_ended(engine: AsyncEngine) -> None:
    database = open_database(engine, metadata)
    started = time.monotonic()

    with pytest.raises(StorageUnavailable):
        async with database.transaction() as transaction:
            await transaction.fetch(slow(engine), {})

    assert time.monotonic() - started < PROMPTLY
    await database.close()


async def test_a_late_statement_of_a_plain_session_is_ended(engine: AsyncEngine) -> None:
    started = time.monotonic()

    async with engine.connect() as connection:
        with pytest.raises(DBAPIError) as raised:
            await connection.execute(text(SLOW[engine.dialect.name]))

    assert isinstance(translated(raised.value), StorageUnavailable)
    assert time.monotonic() - started < PROMPTLY


async def test_the_next_units_work(engine: AsyncEngine, sql_storage: SqlStorage) -> None:
    for _ in range(3):
        with pytest.raises(StorageUnavailable):
            await sql_storage._database.fetch(slow(engine), {})
    await asyncio.sleep(DEADLINE)

    await store(sql_storage.units_of_work, new_product())

    assert await all_stored(sql_storage.units_of_work) == [new_product()]
