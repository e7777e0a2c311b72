"""Which writes can travel as one statement. What such a statement does, tests/contract/ has."""

from typing import Any

import pytest
from sqlalchemy import bindparam, delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from adapters.sql.example_items.mapper import COLUMNS
from adapters.sql.example_items.repository import ADD, CHANGING, REMOVE, UPDATE
from adapters.sql.kernel.execution.combined_statement import as_one
from adapters.sql.kernel.execution.database import Write
from adapters.sql.kernel.idempotency_records import ADD as ADD_RECEIPT
from adapters.sql.kernel.idempotency_records import REMOVE as REMOVE_RECEIPT
from adapters.sql.tables import example_items, receipts
from application.kernel.errors import KeyInProgress, StaleVersion
from tests.counting_ids import CountingIds

ITEM_ID = CountingIds().new_id()
TAKEN = KeyInProgress("k")
STALE = StaleVersion(ITEM_ID)
RECEIPT = dict.fromkeys(("key", "fingerprint", "answer", "expires_at"))
RECORD = Write(ADD_RECEIPT, RECEIPT, refused={"pk_receipts": TAKEN})
ITEM = dict.fromkeys(column.name for column in COLUMNS)
EXPECTED = dict.fromkeys(("expected_id", "expected_version"))
CHANGES = dict.fromkeys(CHANGING) | EXPECTED


def test_one_write_stays_as_it_is() -> None:
    assert as_one([RECORD]) is RECORD


@pytest.mark.parametrize(
    ("change", "parameters"),
    [
        (ADD, ITEM),
        (UPDATE, CHANGES),
        (REMOVE, EXPECTED),
        # Without RETURNING, and without finding anything, it makes the change all the same.
        (delete(example_items), {}),
        (update(example_items).where(example_items.c.id == bindparam("expected_id")), CHANGES),
    ],
)
def test_a_change_and_a_row_elsewhere_become_one(change: Any, parameters: Any) -> None:
    joined = as_one([Write(change, parameters), RECORD])

    assert joined
    assert joined.parameters == parameters | {f"receipts_{name}": None for name in RECEIPT}
    assert joined.missed is None
    assert joined.refused == {"pk_receipts": TAKEN}
    assert as_one([Write(change, parameters), RECORD]).statement is joined.statement  # type: ignore[union-attr]


def test_what_the_change_missed_is_kept() -> None:
    joined = as_one([Write(UPDATE, CHANGES, missed=STALE), RECORD])

    assert joined
    assert joined.missed is STALE


def test_a_write_that_cannot_say_what_it_found_has_no_missed() -> None:
    with pytest.raises(ValueError, match="returning"):
        Write(update(example_items), CHANGES, missed=STALE)


@pytest.mark.parametrize(
    "writes",
    [
        [],
        [RECORD, RECORD],
        [Write(ADD, ITEM), Write(UPDATE, CHANGES)],
        [Write(ADD, ITEM), Write(REMOVE_RECEIPT, {"key": "k", "expires_at": None})],
        [Write(ADD, ITEM), Write(ADD, ITEM), RECORD],
        # Several rows.
        [Write(ADD, [ITEM, ITEM]), RECORD],
        [Write(ADD, ITEM), Write(ADD_RECEIPT, [RECEIPT])],
        # A name that is wrong.
        [Write(ADD, ITEM), Write(ADD_RECEIPT, {**RECEIPT, "kye": 1})],
        # Each may find nothing.
        [
            Write(ADD, ITEM),
            Write(ADD_RECEIPT.returning(receipts.c.key), RECEIPT, missed=STALE),
        ],
        [Write(ADD, ITEM), Write(upsert(receipts).on_conflict_do_nothing(), RECEIPT)],
        # One constraint of that name is the one's, the other the other's.
        [Write(ADD, ITEM, refused={"pk_receipts": STALE}), RECORD],
        # It would have two meanings.
        [Write(ADD, ITEM | {"receipts_key": 1}), RECORD],
        # A value that is computed, not given.
        [Write(ADD, ITEM), Write(insert(receipts).values(key=func.now()), {})],
        [
            Write(ADD, ITEM),
            Write(insert(receipts).from_select(["key"], select(receipts.c.key)), {}),
        ],
    ],
)
def test_others_stay_apart(writes: list[Write]) -> None:
    assert as_one(writes) is None
