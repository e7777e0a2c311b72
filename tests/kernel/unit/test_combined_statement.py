"""Which writes become one combined statement. tests/kernel/contract/ tests what it does."""

from typing import Any

import pytest
from sqlalchemy import (
    Column,
    ForeignKey,
    Integer,
    MetaData,
    Table,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert

from adapters.sql.kernel.execution.combined_statement import combine
from adapters.sql.kernel.execution.database import Write
from adapters.sql.kernel.idempotency_records import ADD as ADD_RECORD
from adapters.sql.kernel.idempotency_records import REMOVE as REMOVE_RECORD
from adapters.sql.kernel.idempotency_records import idempotency_records
from application.kernel.errors import KeyInProgress, StaleVersion
from tests.kernel.counting_ids import CountingIds
from tests.kernel.warehouse.sql import PRODUCT_ROWS, products

ADD, UPDATE, REMOVE = PRODUCT_ROWS.insert, PRODUCT_ROWS.update, PRODUCT_ROWS.delete
ITEM_ID = CountingIds().new_id()
TAKEN = KeyInProgress("k")
STALE = StaleVersion("product", ITEM_ID)
VALUES = dict.fromkeys(("key", "fingerprint", "response", "expires_at"))
RECORD = Write(ADD_RECORD, VALUES, violations={"pk_idempotency_records": TAKEN})
ITEM = dict.fromkeys(column.name for column in PRODUCT_ROWS.columns)
EXPECTED = dict.fromkeys(("expected_id", "expected_version"))
CHANGES = dict.fromkeys(PRODUCT_ROWS.changing) | EXPECTED
LINKED = MetaData()
PARENTS = Table("parents", LINKED, Column("id", Integer, primary_key=True))
CHILDREN = Table(
    "children",
    LINKED,
    Column("id", Integer, primary_key=True),
    Column("parent_id", ForeignKey("parents.id")),
)
CHILD = {"id": 1, "parent_id": 1}


def test_a_single_write_is_unchanged() -> None:
    assert combine([RECORD]) is RECORD


@pytest.mark.parametrize(
    ("change", "parameters"),
    [
        (ADD, ITEM),
        (UPDATE, CHANGES),
        (REMOVE, EXPECTED),
        # Without RETURNING it is executed even if it matches no row.
        (delete(products), {}),
        (update(products).where(products.c.id == bindparam("expected_id")), CHANGES),
    ],
)
def test_a_change_and_an_insert_into_another_table_are_combined(
    change: Any, parameters: Any
) -> None:
    combined = combine([Write(change, parameters), RECORD])

    assert combined
    assert combined.parameters == parameters | {
        f"idempotency_records_{name}": None for name in VALUES
    }
    assert combined.missed is None
    assert combined.violations == {"pk_idempotency_records": TAKEN}
    assert combine([Write(change, parameters), RECORD]).statement is combined.statement  # type: ignore[union-attr]


def test_the_combined_write_raises_the_missed_of_the_change() -> None:
    combined = combine([Write(UPDATE, CHANGES, missed=STALE), RECORD])

    assert combined
    assert combined.missed is STALE


def test_missed_needs_a_statement_that_returns_rows() -> None:
    with pytest.raises(ValueError, match="returning"):
        Write(update(products), CHANGES, missed=STALE)


@pytest.mark.parametrize(
    "writes",
    [
        [],
        [RECORD, RECORD],
        [Write(ADD, ITEM), Write(UPDATE, CHANGES)],
        [Write(ADD, ITEM), Write(REMOVE_RECORD, {"key": "k", "expires_at": None})],
        [Write(ADD, ITEM), Write(ADD, ITEM), RECORD],
        # The same table, and a table with a foreign key.
        [Write(update(PARENTS), {"id": 1}), Write(insert(PARENTS), {"id": 2})],
        [Write(insert(PARENTS), {"id": 1}), Write(insert(CHILDREN), CHILD)],
        [Write(insert(CHILDREN), CHILD), RECORD],
        # Several rows.
        [Write(ADD, [ITEM, ITEM]), RECORD],
        [Write(ADD, ITEM), Write(ADD_RECORD, [VALUES])],
        # A parameter name that is no column.
        [Write(ADD, ITEM), Write(ADD_RECORD, {**VALUES, "kye": 1})],
        # Both may match no row.
        [
            Write(ADD, ITEM),
            Write(ADD_RECORD.returning(idempotency_records.c.key), VALUES, missed=STALE),
        ],
        [Write(ADD, ITEM), Write(upsert(idempotency_records).on_conflict_do_nothing(), VALUES)],
        # Both have a constraint of that name, and it could not be decided which was violated.
        [Write(ADD, ITEM, violations={"pk_idempotency_records": STALE}), RECORD],
        # The parameter name would be ambiguous.
        [Write(ADD, ITEM | {"idempotency_records_key": 1}), RECORD],
        # A value that the database computes.
        [Write(ADD, ITEM), Write(insert(idempotency_records).values(key=func.now()), {})],
        [
            Write(ADD, ITEM),
            Write(
                insert(idempotency_records).from_select(["key"], select(idempotency_records.c.key)),
                {},
            ),
        ],
    ],
)
def test_other_writes_are_not_combined(writes: list[Write]) -> None:
    assert combine(writes) is None
