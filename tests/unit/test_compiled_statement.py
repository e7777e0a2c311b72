from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from sqlalchemy import Dialect, bindparam, insert, select, update
from sqlalchemy.dialects.sqlite import aiosqlite
from sqlalchemy.ext.asyncio import create_async_engine

from adapters.sql import example_item_repository
from adapters.sql.compiled_statement import CompiledStatement
from adapters.sql.example_item_mapper import COLUMNS
from adapters.sql.tables import example_items

SQLITE: Dialect = aiosqlite.dialect()
POSTGRESQL: Dialect = create_async_engine("postgresql+asyncpg://").dialect
ID = UUID("0199b7c2-1f3a-7b5e-8d21-3c4d5e6f7081")
TIME = datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)
GET = select(*COLUMNS).where(example_items.c.id == bindparam("id"))
VALUES = {
    "id": ID,
    "name": "lamp",
    "description": None,
    "version": 1,
    "created_at": TIME,
    "updated_at": TIME,
}


def test_placeholders_are_the_drivers_own() -> None:
    assert CompiledStatement(GET, SQLITE).sql.endswith("WHERE example_items.id = ?")
    assert "example_items.id = $1" in CompiledStatement(GET, POSTGRESQL).sql


def test_values_come_in_the_order_of_the_placeholders() -> None:
    statement = (
        update(example_items)
        .where(example_items.c.version == bindparam("expected"))
        .values(name=bindparam("new_name"))
    )

    compiled = CompiledStatement(statement, SQLITE)

    assert compiled.bind({"expected": 1, "new_name": "chair"}) == ["chair", 1]


def test_a_value_of_the_statement_itself_is_the_default() -> None:
    compiled = CompiledStatement(select(example_items.c.id).limit(7), SQLITE)

    assert 7 in compiled.bind({})


def test_values_travel_to_sqlite_as_it_can_keep_them() -> None:
    bound = CompiledStatement(insert(example_items), SQLITE).bind(VALUES)

    time = "2026-01-02T03:04:05.000006+00:00"
    assert bound == [ID.hex, "lamp", None, 1, time, time]


def test_a_time_of_another_zone_travels_to_sqlite_in_utc() -> None:
    local = TIME.astimezone(timezone(timedelta(hours=9)))

    bound = CompiledStatement(insert(example_items), SQLITE).bind({**VALUES, "created_at": local})

    assert bound[4] == "2026-01-02T03:04:05.000006+00:00"


def test_values_travel_to_postgresql_as_they_are() -> None:
    bound = CompiledStatement(insert(example_items), POSTGRESQL).bind(VALUES)

    assert bound == [ID, "lamp", None, 1, TIME, TIME]


def test_rows_of_sqlite_come_back_as_python_values() -> None:
    time = "2026-01-02T03:04:05.000006+00:00"

    rows = CompiledStatement(GET, SQLITE).rows([(ID.hex, "lamp", None, 1, time, time)] * 2)

    assert [tuple(row) for row in rows] == [(ID, "lamp", None, 1, TIME, TIME)] * 2


@pytest.mark.parametrize("dialect", [SQLITE, POSTGRESQL])
def test_no_rows_come_back_as_none(dialect: Dialect) -> None:
    assert list(CompiledStatement(GET, dialect).rows([])) == []


@pytest.mark.parametrize("dialect", [SQLITE, POSTGRESQL])
def test_a_list_of_unknown_length_is_refused(dialect: Dialect) -> None:
    statement = select(example_items.c.id).where(example_items.c.id.in_(bindparam("ids")))

    with pytest.raises(TypeError, match="compiled once"):
        CompiledStatement(statement, dialect)


@pytest.mark.parametrize("dialect", [SQLITE, POSTGRESQL])
@pytest.mark.parametrize("name", ["GET", "FIRST_PAGE", "NEXT_PAGE", "ADD", "UPDATE", "REMOVE"])
def test_every_statement_of_the_service_can_be_compiled(dialect: Dialect, name: str) -> None:
    assert CompiledStatement(getattr(example_item_repository, name), dialect).sql
