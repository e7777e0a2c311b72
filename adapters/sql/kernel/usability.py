"""Whether the service's own tables can be read and written, found out without a change."""

import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Select, Table, false, func, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection

from application.kernel.errors import StorageUnavailable

PRIVILEGES = ("SELECT", "INSERT", "UPDATE", "DELETE")
"""What the service needs of a table, unless `Table(..., info={"privileges": ("SELECT",)})` says
that it needs less."""

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
    """Raise `StorageUnavailable`, which names the GRANT, if PostgreSQL lets the user do less with
    the tables that there are than the service has to."""
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
    """Raise unless the database can be written on the connection: `StorageUnavailable`, which says
    why, or what the driver raises."""
    if connection.dialect.name == "postgresql":
        if await connection.scalar(text("SHOW transaction_read_only")) == "on":
            # Another connection may lead to the server that has taken over.
            await connection.invalidate()
            raise StorageUnavailable(
                "the database may only be read: "
                "it is a standby, or default_transaction_read_only is on"
            )
    elif tables:
        await _check_sqlite(connection, tables[0])


async def check_readable(connection: AsyncConnection, tables: Sequence[Table]) -> None:
    """Raise what the driver raises unless every column of the tables can be read: of the first row
    and of the last one, which is what shows a damaged file."""
    reads = [each for table in tables for each in _ends(table)]
    if connection.dialect.name == "postgresql":  # in one round trip
        counts = (select(func.count()).select_from(each.subquery()) for each in reads)
        reads = [select(*(each.scalar_subquery() for each in counts))] if reads else []
    for each in reads:
        await connection.execute(each)


def _ends(table: Table) -> Iterator[Select[Any]]:
    key = table.primary_key.columns
    yield select(*table.columns).order_by(*key).limit(1)
    yield select(*table.columns).order_by(*(column.desc() for column in key)).limit(1)


async def _check_sqlite(connection: AsyncConnection, table: Table) -> None:
    # `BEGIN IMMEDIATE` would not do: on a file that may only be read it begins to read.
    await connection.exec_driver_sql("PRAGMA query_only = OFF")
    try:
        await connection.execute(table.delete().where(false()))
    except OperationalError as error:
        code: int = getattr(error.orig, "sqlite_errorcode", 0)
        # What another process writes right now can be written. A transaction that has read, as
        # this one, is told so at once.
        if code & 0xFF != sqlite3.SQLITE_BUSY:
            raise
    finally:
        await connection.exec_driver_sql("PRAGMA query_only = ON")
        await connection.rollback()
