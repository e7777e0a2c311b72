"""Execute statements that have no fast path: by SQLAlchemy, on the unit of work's connection."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Engine, PoolProxiedConnection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.util import greenlet_spawn

from adapters.sql.kernel.execution.database import OneOrMore, Row, Statement
from application.kernel.commits import COMMITS, Commits


async def execute(
    engine: AsyncEngine,
    connection: PoolProxiedConnection,
    statement: Statement,
    parameters: OneOrMore,
    *,
    in_transaction: bool,
) -> tuple[Sequence[Row], Sequence[Any]]:
    """Execute a statement. Return its rows and the types that the database reported for the
    columns.

    With `in_transaction`, the statement is part of the connection's open transaction. Otherwise it
    is committed in a transaction of its own. Raises the driver's error, or SQLAlchemy's own.
    """
    # A unit of work records its own commits, and a read commits nothing.
    token = COMMITS.set(Commits())
    try:
        return await greenlet_spawn(
            _execute, engine.sync_engine, connection, statement, parameters, in_transaction
        )
    except DBAPIError as error:
        raise error.driver_exception from None
    finally:
        COMMITS.reset(token)


def _execute(
    engine: Engine,
    pooled: PoolProxiedConnection,
    statement: Statement,
    parameters: OneOrMore,
    in_transaction: bool,
) -> tuple[Sequence[Row], Sequence[Any]]:
    connection = Connection(engine, connection=pooled)
    if in_transaction:
        return _run(connection, statement, parameters)
    with connection.begin():
        return _run(connection, statement, parameters)


def _run(
    connection: Connection, statement: Statement, parameters: OneOrMore
) -> tuple[Sequence[Row], Sequence[Any]]:
    with connection.execute(statement, parameters) as result:
        if not result.returns_rows:
            return (), ()
        types = [column[1] for column in result.cursor.description or ()]
        return [tuple(row) for row in result], types
