"""Receipts to store, and short ways to store and to look."""

from datetime import UTC, datetime, timedelta

from application.kernel.idempotency_records import Receipt
from application.unit_of_work import UnitsOfWork

NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
EVERY_BYTE = bytes(range(256))


def receipt(key: str = "key", expires_at: datetime = NOW, answer: bytes = EVERY_BYTE) -> Receipt:
    return Receipt(key, EVERY_BYTE[:32], answer, expires_at)


def expiring(number: int) -> Receipt:
    """Return one of several receipts: the higher its number the later it expires."""
    return receipt(f"key {number}", NOW + timedelta(microseconds=number))


async def keep(units_of_work: UnitsOfWork, *receipts: Receipt) -> None:
    async with units_of_work.for_writing() as unit:
        for each in receipts:
            unit.receipts.add(each)
        await unit.commit()


async def kept(units_of_work: UnitsOfWork, key: str = "key") -> Receipt | None:
    async with units_of_work.for_reading() as unit:
        return await unit.receipts.find(key)
