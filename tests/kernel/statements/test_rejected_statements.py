"""What a statement that PostgreSQL or its driver rejects does to the connection that it was on."""

from collections.abc import AsyncIterator

import asyncpg
import pytest
from sqlalchemy import bindparam, insert, select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.sql.kernel.engine import open_database
from adapters.sql.kernel.execution.database import Database, Write
from application.kernel.errors import (
    InvalidValue,
    OutcomeUnknown,
    StorageUnavailable,
    TransactionConflict,
)
from tests.kernel.database_settings import engine_for
from tests.kernel.statements.warehouse import Warehouse

ENTRIES = Warehouse("sqlite").entries
ADD = insert(ENTRIES)
FIND = select(ENTRIES).where(ENTRIES.c.key == bindparam("key"))
BACKEND = text("SELECT pg_backend_pid()")


@pytest.fixture
async def engine(empty_postgresql_url: str) -> AsyncIterator[AsyncEngine]:
    engine = engine_for(empty_postgresql_url, pool_size=1)
    async with engine.begin() as connection:
        await connection.run_sync(ENTRIES.create)
    yield engine
    await engine.dispose()


@pytest.fixture
async def database(engine: AsyncEngine) -> AsyncIterator[Database]:
    database = open_database(engine, ENTRIES.metadata)
    yield database
    await database.close()


@pytest.mark.parametrize("key", [7, "\ud800", "\0", object()])
async def test_a_value_that_is_rejected_costs_no_connection(
    database: Database, key: object
) -> None:
    before = await database.fetch(BACKEND, {})

    with pytest.raises(Exception) as read:  # noqa: PT011 -- of several kinds
        await database.fetch(FIND, {"key": key})
    with pytest.raises(Exception) as written:  # noqa: PT011
        await database.apply([Write(ADD, {"key": key})])

    for error in (read.value, written.value):
        assert not isinstance(error, OutcomeUnknown | StorageUnavailable)
    assert await database.fetch(BACKEND, {}) == before


async def test_more_values_than_the_protocol_has_numbers_for_cost_no_connection(
    database: Database,
) -> None:
    before = await database.fetch(BACKEND, {})
    among = select(ENTRIES).where(ENTRIES.c.key.in_(bindparam("keys", expanding=True)))

    with pytest.raises(asyncpg.InterfaceError, match="cannot exceed"):
        await database.fetch(among, {"keys": list(map(str, range(2**15)))})

    assert await database.fetch(BACKEND, {}) == before


async def test_a_row_that_python_cannot_hold_costs_no_connection(database: Database) -> None:
    before = await database.fetch(BACKEND, {})

    with pytest.raises((ValueError, OverflowError, InvalidValue)):
        await database.fetch(text("SELECT timestamptz '20000-01-01'"), {})

    assert await database.fetch(BACKEND, {}) == before


async def test_a_changed_schema_is_a_conflict_once(database: Database, engine: AsyncEngine) -> None:
    """A statement that was prepared before cannot be used in a transaction, where it can after."""

    async def find_in_a_transaction() -> int:
        async with database.transaction() as transaction:
            return len((await transaction.fetch(select(ENTRIES.c.note), {}))[0])

    await database.apply([Write(ADD, {"key": "a"})])
    assert await find_in_a_transaction() == 1
    async with engine.begin() as connection:
        await connection.execute(text("ALTER TABLE entries ALTER COLUMN note TYPE varchar(90)"))

    with pytest.raises(TransactionConflict):
        await find_in_a_transaction()
    assert await find_in_a_transaction() == 1
