"""Check that the service's tables can be read and written, without changing anything."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any, cast

import aiosqlite
from sqlalchemy import Delete, Dialect, Select, Table, false, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.sql.kernel.sqlite.aiosqlite_thread import on_thread
from application.kernel.errors import StorageUnavailable

PRIVILEGES = ("SELECT", "INSERT", "UPDATE", "DELETE")
"""The privileges that the service needs for a table, unless the table names fewer:
`Table(..., info={"privileges": ("SELECT",)})`."""

_REVISIONS = "alembic_version"
# https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-INFO-ACCESS
_MISSING_PRIVILEGES = text(
    """
    SELECT format('GRANT %s ON %s TO %I', string_agg(privilege, ', '), name, current_user)
    FROM unnest(CAST(:names AS text[]), CAST(:privileges AS text[])) AS needed(name, privilege)
    WHERE NOT has_table_privilege(to_regclass(name), privilege)
    GROUP BY name ORDER BY name
    """
)


async def check_privileges(connection: AsyncConnection, tables: Sequence[Table]) -> None:
    """Raise `StorageUnavailable`, with the missing GRANT, if the PostgreSQL user lacks a privilege
    that the service needs for an existing table."""
    if connection.dialect.name != "postgresql":
        return
    format_table = connection.dialect.identifier_preparer.format_table
    needed = [(_REVISIONS, "SELECT")] + [
        (format_table(table), privilege)
        for table in tables
        for privilege in table.info.get("privileges", PRIVILEGES)
    ]
    names, privileges = zip(*needed, strict=True)
    grants = await connection.scalars(
        _MISSING_PRIVILEGES, {"names": list(names), "privileges": list(privileges)}
    )
    if missing := "; ".join(grants):
        raise StorageUnavailable(f"the user of the database lacks rights: {missing}")


async def check_writable(connection: AsyncConnection, tables: Sequence[Table]) -> None:
    """Raise `StorageUnavailable` with the reason, or the driver's error, unless the database can be
    written on the connection."""
    if connection.dialect.name == "postgresql":
        if await connection.scalar(text("SHOW transaction_read_only")) == "on":
            # A new connection may lead to the new primary after a failover.
            await connection.invalidate()
            raise StorageUnavailable(
                "the database may only be read: "
                "it is a standby, or default_transaction_read_only is on"
            )
    elif tables:
        await _check_sqlite(connection, tables[0])


async def check_readable(connection: AsyncConnection, tables: Sequence[Table]) -> None:
    """Raise the driver's error unless every column of each table's first and last row can be read.
    That shows a damaged file."""
    reads = _reads(tuple(tables), connection.dialect)
    if connection.dialect.name == "postgresql":
        for each in reads:
            await connection.exec_driver_sql(each)
    else:
        await _on_thread(connection, lambda bare: [bare.execute(each).fetchall() for each in reads])


@lru_cache(maxsize=8)
def _reads(tables: tuple[Table, ...], dialect: Dialect) -> list[str]:
    """Return the statements that read the rows. The check runs twice a second, and SQLAlchemy would
    take longer to make and to compile them than the database to execute them."""
    reads = [each for table in tables for each in _ends(table)]
    if dialect.name == "postgresql" and reads:  # in one round trip
        counts = (select(func.count()).select_from(each.subquery()) for each in reads)
        reads = [select(*(each.scalar_subquery() for each in counts))]
    return [_sql(each, dialect) for each in reads]


def _ends(table: Table) -> Iterator[Select[Any]]:
    key = table.primary_key.columns
    yield select(*table.columns).order_by(*key).limit(1)
    yield select(*table.columns).order_by(*(column.desc() for column in key)).limit(1)


def _sql(statement: Select[Any] | Delete, dialect: Dialect) -> str:
    return str(statement.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))


async def _check_sqlite(connection: AsyncConnection, table: Table) -> None:
    statement = _sql(table.delete().where(false()), connection.dialect)

    def try_to_write(bare: sqlite3.Connection) -> None:
        # `BEGIN IMMEDIATE` is not enough: on a read-only file it begins a read transaction.
        bare.execute("PRAGMA query_only = OFF")
        try:
            bare.execute(statement)
        except sqlite3.OperationalError as error:
            code: int = getattr(error, "sqlite_errorcode", 0)
            # If another process is writing, the database can be written. SQLite reports that at
            # once in a transaction that has read, as this one.
            if code & 0xFF != sqlite3.SQLITE_BUSY:
                raise
        finally:
            bare.execute("PRAGMA query_only = ON")

    try:
        await _on_thread(connection, try_to_write)
    finally:
        await connection.rollback()


async def _on_thread(
    connection: AsyncConnection, function: Callable[[sqlite3.Connection], Any]
) -> None:
    """Run the function on the thread of a connection to SQLite, in one hop."""
    pooled = await connection.get_raw_connection()
    await on_thread(cast(aiosqlite.Connection, pooled.driver_connection), function)
