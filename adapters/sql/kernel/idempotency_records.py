from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from sqlalchemy import bindparam, delete, insert, select

from adapters.sql.kernel.execution.database import Fetches, Write
from adapters.sql.tables import receipts
from application.kernel.errors import KeyInProgress
from application.kernel.idempotency_records import Receipt

_columns = receipts.c

FIND = select(receipts).where(_columns.key == bindparam("key"))
ADD = insert(receipts)
REMOVE = delete(receipts).where(
    _columns.key == bindparam("key"), _columns.expires_at == bindparam("expires_at")
)
EXPIRIES = (
    select(_columns.expires_at)
    .where(_columns.expires_at <= bindparam("until"))
    .order_by(_columns.expires_at)
    .limit(bindparam("limit"))
)
REMOVE_EXPIRED = delete(receipts).where(_columns.expires_at <= bindparam("until"))


class TakesWrites(Fetches, Protocol):
    """What the receipts need of their unit of work."""

    def write(self, write: Write) -> None: ...


class SqlReceiptReader:
    def __init__(self, unit: Fetches) -> None:
        self._unit = unit

    async def find(self, key: str) -> Receipt | None:
        rows = await self._unit.fetch(FIND, {"key": key})
        return Receipt(*rows[0]) if rows else None

    async def expiries(self, until: datetime, limit: int) -> Sequence[datetime]:
        rows = await self._unit.fetch(EXPIRIES, {"until": until, "limit": limit})
        return [expires_at for (expires_at,) in rows]


class SqlReceipts(SqlReceiptReader):
    def __init__(self, unit: TakesWrites) -> None:
        super().__init__(unit)
        self._writes = unit

    def add(self, receipt: Receipt) -> None:
        parameters = {
            "key": receipt.key,
            "fingerprint": receipt.fingerprint,
            "answer": receipt.answer,
            "expires_at": receipt.expires_at,
        }
        refused = {"pk_receipts": KeyInProgress(receipt.key)}
        self._writes.write(Write(ADD, parameters, refused=refused))

    def remove(self, receipt: Receipt) -> None:
        self._writes.write(Write(REMOVE, {"key": receipt.key, "expires_at": receipt.expires_at}))

    def remove_expired(self, until: datetime) -> None:
        self._writes.write(Write(REMOVE_EXPIRED, {"until": until}))
