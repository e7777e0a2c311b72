"""A change and the row that records it, as one statement of PostgreSQL: one round trip, and a
transaction of its own."""

from collections.abc import Sequence
from functools import lru_cache

from sqlalchemy import Insert, Select, bindparam, exists, select

from adapters.sql.database import Statement, Write


def as_one(writes: Sequence[Write]) -> Write | None:
    """Return one write that does what the writes do, or None if they need a transaction.

    Two can be one if the second inserts a row into another table than the first writes to,
    because neither part of a statement sees what the other does. The row is inserted only if
    the first found what it was meant for.
    https://www.postgresql.org/docs/current/queries-with.html#QUERIES-WITH-MODIFYING
    """
    match writes:
        case [only]:
            return only
        case [change, Write(statement=Insert() as insert) as record]:
            if (statement := _joined(change.statement, insert)) is None:
                return None
            table = insert.table.name
            values = {f"{table}_{name}": value for name, value in record.parameters.items()}
            return Write(
                statement,
                {**change.parameters, **values},
                missed=change.missed,
                refused={**change.refused, **record.refused},
            )
        case _:
            return None


@lru_cache(maxsize=500)
def _joined(change: Statement, record: Insert) -> Insert | None:
    if isinstance(change, Insert):
        # It finds what it is meant for, or fails.
        change = change.returning(*change.table.primary_key)
    columns = list(record.table.columns)
    if (
        isinstance(change, Select)
        or change.table is record.table
        or not change._returning
        or _parameters(record) != {column.name for column in columns}
    ):
        return None
    names = [f"{record.table.name}_{column.name}" for column in columns]
    values = [
        bindparam(name, type_=column.type) for name, column in zip(names, columns, strict=True)
    ]
    found = exists(select(change.cte("found")))
    statement = record.from_select(
        [column.name for column in columns], select(*values).where(found)
    ).returning(*record.table.primary_key)
    # A value that the change does not name itself gets another name inside a larger statement.
    return statement if _parameters(change) <= _parameters(statement) else None


def _parameters(statement: Statement) -> set[str]:
    return set(statement.compile().params)
