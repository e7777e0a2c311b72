"""A combined statement: a change and the row that records it, in one statement of PostgreSQL.

It takes one round trip and is a transaction of its own. Idempotency records are stored so.
"""

from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Delete,
    Dialect,
    FromClause,
    Insert,
    Select,
    Table,
    Update,
    bindparam,
    func,
    insert,
    literal_column,
    null,
    select,
)
from sqlalchemy.exc import SQLAlchemyError

from adapters.sql.kernel.execution.compiled_statement import CACHE_SIZE, compile_statement
from adapters.sql.kernel.execution.database import Statement, Write

_Change = Insert | Update | Delete


def combine(writes: Sequence[Write]) -> Write | None:
    """Return one write that has the effect of all the writes, or None if they need a transaction.

    Two writes are combined only if the outcome is the same as in a transaction. The parts of a
    combined statement do not see each other's effects, and foreign keys are checked after all
    parts have run. So the second write must insert a row of given values into another table, and
    no foreign key may lead to or from either table. See
    https://www.postgresql.org/docs/current/queries-with.html#QUERIES-WITH-MODIFYING

    Triggers of both tables run, but the AFTER triggers of the first change run after the second
    change.
    """
    match writes:
        case [only]:
            return only
        case [
            Write(parameters=Mapping() as found_by) as change,
            Write(
                statement=Insert() as record, parameters=Mapping() as values, missed=None
            ) as last,
        ] if not change.violations.keys() & last.violations.keys():
            is_conditional = change.missed is not None
            statement = _combined(
                change.statement, tuple(found_by), record, tuple(values), is_conditional
            )
            if statement is None:
                return None
            renamed = {_renamed(record, name): value for name, value in values.items()}
            return Write(
                statement,
                {**found_by, **renamed},
                missed=change.missed,
                violations={**change.violations, **last.violations},
            )
        case _:
            return None


@lru_cache(maxsize=CACHE_SIZE)
def _combined(
    change: Statement,
    change_names: tuple[str, ...],
    record: Insert,
    record_names: tuple[str, ...],
    is_conditional: bool,
) -> Select[Any] | None:
    """Return a statement that makes the change, inserts the record and returns one row for each row
    that the change matched. If it is conditional, it inserts the record only if the change matched
    a row."""
    try:
        return _combine(change, change_names, record, record_names, is_conditional)
    except (SQLAlchemyError, KeyError):
        return None  # executed on its own, the wrong statement raises the error


def _combine(
    change: Statement,
    change_names: Sequence[str],
    record: Insert,
    record_names: Sequence[str],
    is_conditional: bool,
) -> Select[Any] | None:
    if (
        not isinstance(change, _Change)
        or not _are_unrelated(change.table, record.table)
        or compile_statement(change, change_names, _dialect()) is None
        or not {column.key for column in record.table.primary_key} <= {*record_names}
        or compile_statement(record, record_names, _dialect()) is None
    ):
        return None
    if not change.returning_column_descriptions:
        change = change.returning(null().label("found"))
    named = _with_values(change, change_names)
    found = named.cte("found")
    # To be counted, all rows must have been changed: so the insert comes after the change.
    count = select(func.count()).select_from(found).scalar_subquery()
    zero: ColumnElement[int] = literal_column("0")
    columns = record.table.columns
    values = [bindparam(_renamed(record, name), type_=columns[name].type) for name in record_names]
    recorded = insert(record.table).from_select(
        record_names, select(*values).where(count > zero if is_conditional else count >= zero)
    )
    combined = select(null()).select_from(found).add_cte(recorded.cte("recorded"))
    # Within the combined statement, both parts must have the same SQL as on their own.
    renamed = [_renamed(record, name) for name in record_names]
    if {*renamed} & {*change_names, *change.table.columns.keys()}:
        return None
    part, whole = _sql(change, change_names), _sql(combined, [*change_names, *renamed])
    plain_insert = _sql(insert(record.table), record_names)
    is_same = (
        part == _sql(named, [])
        and part in whole
        and plain_insert == _sql(record, record_names)
        and f"{plain_insert.partition(' VALUES ')[0]} SELECT " in whole
    )
    return combined if is_same else None


def _are_unrelated(one: FromClause, other: FromClause) -> bool:
    if not (isinstance(one, Table) and isinstance(other, Table)) or one is other:
        return False
    tables = {*one.metadata.tables.values(), *other.metadata.tables.values()}
    keys = [key for table in tables for key in table.foreign_keys]
    return not any(
        key.parent.table in (one, other) or key.references(one) or key.references(other)
        for key in keys
    )


def _with_values(change: _Change, names: Sequence[str]) -> _Change:
    """Return the change with explicit values for its parameters, which a CTE needs."""
    if isinstance(change, Delete):
        return change
    columns = change.table.columns
    return change.values(
        {name: bindparam(name, type_=columns[name].type) for name in names if name in columns}
    )


def _sql(statement: _Change | Select[Any], names: Sequence[str]) -> str:
    return str(statement.compile(dialect=_dialect(paramstyle="named"), column_keys=sorted(names)))


@cache
def _dialect(**options: Any) -> Dialect:
    # Not imported before it is needed: a service on SQLite does without its 15 modules.
    from sqlalchemy.dialects.postgresql import asyncpg  # noqa: PLC0415

    dialect: Dialect = asyncpg.dialect(**options)  # type: ignore[no-untyped-call]
    return dialect


def _renamed(record: Insert, name: str) -> str:
    """Return the name of the record's parameter in the combined statement."""
    return f"{record.table.name}_{name}"
