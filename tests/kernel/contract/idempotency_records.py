"""Idempotency records to store, and short ways to store and to look."""

from datetime import UTC, datetime, timedelta

from application.kernel.idempotency_records import IdempotencyRecord
from tests.kernel.warehouse.application import UnitsOfWork

NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
EVERY_BYTE = bytes(range(256))


def record(
    key: str = "key", expires_at: datetime = NOW, response: bytes = EVERY_BYTE
) -> IdempotencyRecord:
    return IdempotencyRecord(key, EVERY_BYTE[:32], response, expires_at)


def expiring(number: int) -> IdempotencyRecord:
    """Return one of several records: the higher its number the later it expires."""
    return record(f"key {number}", NOW + timedelta(microseconds=number))


async def keep(units_of_work: UnitsOfWork, *records: IdempotencyRecord) -> None:
    async with units_of_work.for_writing() as unit:
        for each in records:
            unit.idempotency_records.add(each)
        await unit.commit()


async def kept(units_of_work: UnitsOfWork, key: str = "key") -> IdempotencyRecord | None:
    async with units_of_work.for_reading() as unit:
        return await unit.idempotency_records.find(key)
