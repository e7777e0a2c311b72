"""Two writes of one unit, which may reach PostgreSQL as one combined statement, have the outcome of
two in a transaction."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import BindParameter, Table, bindparam, delete, insert, update
from sqlalchemy.dialects import postgresql, sqlite

from tests.kernel.statements.both_ways import BothWays, Step
from tests.kernel.statements.warehouse import Warehouse

Changes = Callable[[Table, Any], Step]
BY_ID: BindParameter[int] = bindparam("at")

CHANGES: dict[str, Changes] = {
    "insert": lambda t, _: Step(insert(t), {"id": 2, "text": "a"}),
    "insert that fails": lambda t, _: Step(insert(t), {"id": 1}),
    "insert or nothing": lambda t, upsert: Step(upsert(t).on_conflict_do_nothing(), {"id": 1}),
    "update": lambda t, _: Step(update(t).where(t.c.id == BY_ID), {"at": 1, "text": "b"}),
    "update of none": lambda t, _: Step(update(t).where(t.c.id == BY_ID), {"at": 9, "text": "b"}),
    "update of none, returning": lambda t, _: Step(
        update(t).where(t.c.id == BY_ID).returning(t.c.id), {"at": 9, "text": "b"}
    ),
    "delete of none": lambda t, _: Step(delete(t).where(t.c.id == BY_ID), {"at": 9}),
    "delete of none, returning": lambda t, _: Step(
        delete(t).where(t.c.id == BY_ID).returning(t.c.id), {"at": 9}
    ),
}


@pytest.mark.parametrize("record", [{"key": "new", "note": "n"}, {"key": "new"}, {"key": "old"}])
@pytest.mark.parametrize("change", CHANGES)
def test_they_are_made_as_in_a_transaction(
    both_ways: BothWays,
    warehouse: Warehouse,
    runner: asyncio.Runner,
    kind_of_database: str,
    change: str,
    record: dict[str, str],
) -> None:
    upsert = postgresql.insert if kind_of_database == "postgresql" else sqlite.insert
    first = CHANGES[change](warehouse.samples, upsert)

    async def compare() -> None:
        await both_ways.clear()
        await both_ways.unit([Step(insert(warehouse.samples), {"id": 1})])
        await both_ways.unit([Step(insert(warehouse.entries), {"key": "old"})])
        await both_ways.unit([first, Step(insert(warehouse.entries), record)])

    runner.run(compare())
