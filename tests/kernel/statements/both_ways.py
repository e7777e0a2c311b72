"""Runs the same statements by the repositories' way and by SQLAlchemy's own, each on a database of
its own, and compares what comes of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg
from sqlalchemy import Executable, select, text
from sqlalchemy.exc import DBAPIError, StatementError
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.sql.kernel.execution.database import Database, OneOrMore, Write
from application.kernel.errors import ApplicationError
from tests.kernel.statements.warehouse import Warehouse

Outcome = Sequence[Any]


@dataclass(frozen=True)
class Step:
    statement: Executable
    parameters: OneOrMore
    is_read: bool = False


class BothWays:
    def __init__(
        self, warehouse: Warehouse, ours: AsyncEngine, database: Database, plain: AsyncEngine
    ) -> None:
        self._warehouse = warehouse
        self._ours = ours
        self.database = database
        self._plain = plain

    async def clear(self) -> None:
        for engine in (self._ours, self._plain):
            async with engine.begin() as connection:
                for table in reversed(self._warehouse.tables):
                    await connection.execute(table.delete())
                if engine.dialect.name == "postgresql":
                    for sequence in ("product_numbers", "products_id_seq"):
                        await connection.execute(text(f"SELECT setval('{sequence}', 1, false)"))

    async def close(self) -> None:
        await self.database.close()

    async def read(self, step: Step) -> None:
        """One read on its own."""
        assert isinstance(step.parameters, Mapping)
        ours = await _outcome(self.database.fetch(step.statement, step.parameters))
        assert ours == await _outcome(_rows(self._plain, step))
        assert ours == await _outcome(_rows(self._ours, step)), "a plain session on our engine"

    async def unit(self, steps: Sequence[Step]) -> None:
        """Writes that are committed together, without a read between them."""
        writes = [Write(step.statement, step.parameters) for step in steps]
        assert await _outcome(self.database.apply(writes)) == await _outcome(
            self._transaction(steps, returns_rows=False)
        )
        await self.same_state()

    async def transaction(self, steps: Sequence[Step]) -> None:
        """Writes and reads in a transaction."""
        assert await _outcome(self._our_transaction(steps)) == await _outcome(
            self._transaction(steps, returns_rows=True)
        )
        await self.same_state()

    async def same_state(self) -> None:
        everything = [
            Step(select(table).order_by(*table.primary_key), {}) for table in self._warehouse.tables
        ]
        ours, plain = _rows(self._ours, *everything), _rows(self._plain, *everything)
        assert await _outcome(ours) == await _outcome(plain)

    async def _our_transaction(self, steps: Sequence[Step]) -> Sequence[Any]:
        rows: list[Any] = []
        async with self.database.transaction() as transaction:
            for step in steps:
                if step.is_read:
                    assert isinstance(step.parameters, Mapping)
                    rows += await transaction.fetch(step.statement, step.parameters)
                else:
                    await transaction.apply([Write(step.statement, step.parameters)])
            await transaction.commit()
        return rows

    async def _transaction(self, steps: Sequence[Step], *, returns_rows: bool) -> Sequence[Any]:
        rows: list[Any] = []
        async with self._plain.begin() as connection:
            for step in steps:
                result = await connection.execute(step.statement, step.parameters)
                if step.is_read and returns_rows:
                    rows += result.fetchall()
        return rows


async def _rows(engine: AsyncEngine, *steps: Step) -> Sequence[Any]:
    async with engine.connect() as connection:
        results = [await connection.execute(each.statement, each.parameters) for each in steps]
        return [row for result in results for row in result]


async def _outcome(awaitable: Any) -> Outcome:
    try:
        rows = await awaitable
    except Exception as error:
        return _name(error)
    return [[(type(value).__name__, repr(value)) for value in row] for row in rows or ()]


def _name(error: BaseException) -> Outcome:
    """Return what distinguishes the error from others: the driver's error inside any wrapper."""
    while isinstance(error, ApplicationError) and error.__cause__:
        error = error.__cause__
    if isinstance(error, DBAPIError):
        error = error.driver_exception
    elif isinstance(error, StatementError) and error.orig:
        return ["StatementError", type(error.orig).__name__]
    if isinstance(error, asyncpg.PostgresError):
        details: Any = error
        return [type(error).__name__, error.sqlstate, details.constraint_name]
    return [type(error).__name__, str(error)]
