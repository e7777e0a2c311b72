"""Which writes can travel as one statement. What such a statement does, tests/contract/ has."""

from typing import Any

import pytest
from sqlalchemy import delete, insert, update

from adapters.sql.database import Write
from adapters.sql.example_item_repository import ADD, REMOVE, UPDATE
from adapters.sql.joined_writes import as_one
from adapters.sql.receipts import ADD as ADD_RECEIPT
from adapters.sql.receipts import REMOVE as REMOVE_RECEIPT
from adapters.sql.tables import example_items, receipts
from application.errors import KeyInProgress, StaleVersion
from tests.counting_ids import CountingIds

ITEM_ID = CountingIds().new_id()
TAKEN = KeyInProgress("k")
RECORD = Write(ADD_RECEIPT, {"key": "k", "answer": b""}, refused={"pk_receipts": TAKEN})


def test_one_write_stays_as_it_is() -> None:
    assert as_one([RECORD]) is RECORD


@pytest.mark.parametrize("change", [ADD, UPDATE, REMOVE])
def test_a_change_and_a_row_elsewhere_become_one(change: Any) -> None:
    stale = StaleVersion(ITEM_ID)

    joined = as_one([Write(change, {"id": ITEM_ID}, missed=stale), RECORD])

    assert joined
    assert joined.parameters == {"id": ITEM_ID, "receipts_key": "k", "receipts_answer": b""}
    assert joined.missed is stale
    assert joined.refused == {"pk_receipts": TAKEN}
    assert as_one([Write(change, {}), RECORD]).statement is joined.statement  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "writes",
    [
        [],
        [RECORD, RECORD],
        [Write(ADD, {}), Write(UPDATE, {})],
        [Write(ADD, {}), Write(REMOVE_RECEIPT, {})],
        [Write(ADD, {}), Write(ADD, {}), RECORD],
        # It says nothing of what it found.
        [Write(delete(example_items), {}), RECORD],
        # These parameters would have other names within a larger statement.
        [
            Write(update(example_items).values(name=None).returning(example_items.c.id), {}),
            RECORD,
        ],
        [Write(ADD, {}), Write(insert(receipts).values(key="k"), {})],
    ],
)
def test_others_stay_apart(writes: list[Write]) -> None:
    assert as_one(writes) is None
