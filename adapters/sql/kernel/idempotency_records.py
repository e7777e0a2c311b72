from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import (
    CheckConstraint,
    Column,
    LargeBinary,
    String,
    Table,
    bindparam,
    delete,
    insert,
    select,
)

from adapters.sql.kernel.column_types import UtcTime
from adapters.sql.kernel.execution.database import Fetches, Write
from adapters.sql.kernel.metadata import metadata
from adapters.sql.kernel.versioned_rows import TakesWrites
from application.kernel.errors import KeyInProgress
from application.kernel.idempotency_records import KEY_MAX_LENGTH, IdempotencyRecord

idempotency_records = Table(
    "idempotency_records",
    metadata,
    Column("key", String(KEY_MAX_LENGTH), primary_key=True),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("response", LargeBinary, nullable=False),
    # The index is for the purge, which looks for expired records.
    Column("expires_at", UtcTime, nullable=False, index=True),
    CheckConstraint(f"length(key) BETWEEN 1 AND {KEY_MAX_LENGTH}", name="key_length"),
)
_columns = idempotency_records.c

FIND = select(idempotency_records).where(_columns.key == bindparam("key"))
ADD = insert(idempotency_records)
REMOVE = delete(idempotency_records).where(
    _columns.key == bindparam("key"), _columns.expires_at == bindparam("expires_at")
)
EXPIRIES = (
    select(_columns.expires_at)
    .where(_columns.expires_at <= bindparam("until"))
    .order_by(_columns.expires_at)
    .limit(bindparam("limit"))
)
REMOVE_EXPIRED = delete(idempotency_records).where(_columns.expires_at <= bindparam("until"))


class SqlIdempotencyRecordReader:
    def __init__(self, unit: Fetches) -> None:
        self._unit = unit

    async def find(self, key: str) -> IdempotencyRecord | None:
        rows = await self._unit.fetch(FIND, {"key": key})
        return IdempotencyRecord(*rows[0]) if rows else None

    async def expiries(self, until: datetime, limit: int) -> Sequence[datetime]:
        rows = await self._unit.fetch(EXPIRIES, {"until": until, "limit": limit})
        return [expires_at for (expires_at,) in rows]


class SqlIdempotencyRecords(SqlIdempotencyRecordReader):
    def __init__(self, unit: TakesWrites) -> None:
        super().__init__(unit)
        self._writes = unit

    def add(self, record: IdempotencyRecord) -> None:
        parameters = {
            "key": record.key,
            "fingerprint": record.fingerprint,
            "response": record.response,
            "expires_at": record.expires_at,
        }
        violations = {"pk_idempotency_records": KeyInProgress(record.key)}
        self._writes.write(Write(ADD, parameters, violations=violations))

    def remove(self, record: IdempotencyRecord) -> None:
        self._writes.write(Write(REMOVE, {"key": record.key, "expires_at": record.expires_at}))

    def remove_expired(self, until: datetime) -> None:
        self._writes.write(Write(REMOVE_EXPIRED, {"until": until}))
