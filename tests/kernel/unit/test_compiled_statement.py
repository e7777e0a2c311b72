from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from sqlalchemy import (
    Column,
    Dialect,
    Executable,
    Integer,
    MetaData,
    Table,
    bindparam,
    func,
    insert,
    literal_column,
    select,
    update,
)
from sqlalchemy.dialects.sqlite import aiosqlite
from sqlalchemy.ext.asyncio import create_async_engine

from adapters.sql.kernel import idempotency_records as records
from adapters.sql.kernel.execution.compiled_statement import CompiledStatement, compile_statement
from tests.kernel.warehouse.sql import PRODUCT_ROWS, products

SQLITE: Dialect = aiosqlite.dialect()
POSTGRESQL: Dialect = create_async_engine("postgresql+asyncpg://").dialect
ID = UUID("0199b7c2-1f3a-7b5e-8d21-3c4d5e6f7081")
TIME = datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)
GET = select(*PRODUCT_ROWS.columns).where(products.c.id == bindparam("id"))
VALUES = {
    "id": ID,
    "name": "lamp",
    "description": None,
    "version": 1,
    "created_at": TIME,
    "updated_at": TIME,
}


def compiled_for(dialect: Dialect, statement: Executable, *names: str) -> CompiledStatement:
    compiled = compile_statement(statement, names, dialect)
    assert compiled
    return compiled


def test_placeholders_are_the_drivers_own() -> None:
    assert compiled_for(SQLITE, GET, "id").sql.endswith("WHERE products.id = ?")
    assert "products.id = $1" in compiled_for(POSTGRESQL, GET, "id").sql


def test_values_come_in_the_order_of_the_placeholders() -> None:
    statement = (
        update(products)
        .where(products.c.version == bindparam("expected"))
        .values(name=bindparam("new_name"))
    )

    compiled = compiled_for(SQLITE, statement)

    assert compiled.bind({"expected": 1, "new_name": "chair"}) == ["chair", 1]


def test_a_value_of_the_statement_itself_is_the_default() -> None:
    compiled = compiled_for(SQLITE, select(products.c.id).limit(7))

    assert 7 in compiled.bind({})


def test_values_travel_to_sqlite_as_it_can_keep_them() -> None:
    bound = compiled_for(SQLITE, insert(products), *VALUES).bind(VALUES)

    time = "2026-01-02T03:04:05.000006+00:00"
    assert bound == [ID.hex, 1, time, time, "lamp", None]


def test_a_time_of_another_zone_travels_to_sqlite_in_utc() -> None:
    local = TIME.astimezone(timezone(timedelta(hours=9)))

    bound = compiled_for(SQLITE, insert(products), *VALUES).bind({**VALUES, "created_at": local})

    assert bound[2] == "2026-01-02T03:04:05.000006+00:00"


def test_values_travel_to_postgresql_as_they_are() -> None:
    bound = compiled_for(POSTGRESQL, insert(products), *VALUES).bind(VALUES)

    assert bound == [ID, 1, TIME, TIME, "lamp", None]


def test_rows_of_sqlite_come_back_as_python_values() -> None:
    time = "2026-01-02T03:04:05.000006+00:00"

    rows = compiled_for(SQLITE, GET, "id").rows([(ID.hex, 1, time, time, "lamp", None)] * 2)

    assert [tuple(row) for row in rows] == [(ID, 1, TIME, TIME, "lamp", None)] * 2


def test_a_page_has_its_times_as_text_unless_the_cast_could_change_its_rows() -> None:
    time = products.c.created_at
    page = select(time).order_by(products.c.id)
    others = [
        select(time),
        page.distinct(),
        select(time.label("at")).order_by("at"),
        select(func.max(time)).order_by(func.max(time)),
    ]

    assert compiled_for(POSTGRESQL, page).as_written
    assert not any(compiled_for(POSTGRESQL, each).as_written for each in others)


@pytest.mark.parametrize("dialect", [SQLITE, POSTGRESQL])
def test_no_rows_come_back_as_none(dialect: Dialect) -> None:
    assert list(compiled_for(dialect, GET, "id").rows([])) == []


@pytest.mark.parametrize(
    ("statement", "parameters"),
    [
        (insert(Table("made", MetaData(), Column("id", Integer, default=int))), []),
        (update(Table("kept", MetaData(), Column("at", Integer, onupdate=int))), []),
        (select(products.c.id).where(products.c.name.in_(["lamp", "chair"])), []),
        (select(literal_column("products.*")).select_from(products), []),
        (GET.execution_options(yield_per=10), ["id"]),
        (select(products.c.id).where(products.c.name == bindparam(None, callable_=str)), []),
    ],
    ids=["default", "onupdate", "in", "literal columns", "options", "callable"],
)
def test_a_statement_that_needs_sqlalchemy_has_no_fast_path(
    statement: Executable, parameters: list[str]
) -> None:
    assert compile_statement(statement, parameters, SQLITE) is None


@pytest.mark.parametrize("dialect", [SQLITE, POSTGRESQL])
@pytest.mark.parametrize(
    ("statement", "parameters"),
    [
        (PRODUCT_ROWS.get, ["id"]),
        (PRODUCT_ROWS.first_page, ["limit"]),
        (PRODUCT_ROWS.next_page, ["limit", "after"]),
        (PRODUCT_ROWS.insert, VALUES),
        (
            PRODUCT_ROWS.update,
            [*PRODUCT_ROWS.changing, "expected_id", "expected_version"],
        ),
        (PRODUCT_ROWS.delete, ["expected_id", "expected_version"]),
        (records.FIND, ["key"]),
        (records.ADD, ["key", "fingerprint", "response", "expires_at"]),
        (records.REMOVE, ["key", "expires_at"]),
        (records.EXPIRIES, ["until", "limit"]),
        (records.REMOVE_EXPIRED, ["until"]),
    ],
)
def test_every_statement_of_the_service_has_the_fast_path(
    dialect: Dialect, statement: Executable, parameters: Iterable[str]
) -> None:
    compiled = compile_statement(statement, list(parameters), dialect)

    assert compiled
    assert compiled.processors is not None
