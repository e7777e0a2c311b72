"""A record is stored with the change that it is for, and a key is taken once."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta

import pytest

from application.kernel.errors import AlreadyExists, KeyInProgress, StaleVersion
from tests.kernel.contract.idempotency_records import NOW, expiring, keep, kept, record
from tests.kernel.contract.products import all_stored, new_product, next_version, store
from tests.kernel.warehouse.application import UnitOfWork, UnitsOfWork
from tests.kernel.warehouse.domain import Product

Change = Callable[[UnitOfWork], None]


def add(unit: UnitOfWork) -> None:
    unit.products.add(new_product(2))


def update(unit: UnitOfWork) -> None:
    unit.products.update(next_version(new_product(1)))


def remove(unit: UnitOfWork) -> None:
    unit.products.remove(new_product(1))


every_change = pytest.mark.parametrize(
    ("change", "result"),
    [
        (add, [new_product(1), new_product(2)]),
        (update, [next_version(new_product(1))]),
        (remove, []),
    ],
)


async def test_a_record_is_found_as_it_was_added(units_of_work: UnitsOfWork) -> None:
    await keep(units_of_work, record())

    assert await kept(units_of_work) == record()
    assert await kept(units_of_work, "another key") is None


@pytest.mark.parametrize("key", ["k", "K" * 255, "\\ '\"%_$1:key"])
async def test_a_key_may_be_any_text_of_up_to_255_characters(
    units_of_work: UnitsOfWork, key: str
) -> None:
    await keep(units_of_work, record(key))

    assert await kept(units_of_work, key) == record(key)


async def test_keys_that_differ_in_case_are_two(units_of_work: UnitsOfWork) -> None:
    await keep(units_of_work, record("key"), record("KEY"))

    assert await kept(units_of_work, "Key") is None


@every_change
async def test_a_change_and_its_record_are_stored_together(
    units_of_work: UnitsOfWork, change: Change, result: Sequence[Product]
) -> None:
    await store(units_of_work, new_product(1))

    async with units_of_work.for_writing() as unit:
        change(unit)
        unit.idempotency_records.add(record())
        await unit.commit()

    assert await all_stored(units_of_work) == result
    assert await kept(units_of_work) == record()


@every_change
async def test_a_taken_key_undoes_the_change(
    units_of_work: UnitsOfWork, change: Change, result: Sequence[Product]
) -> None:
    await store(units_of_work, new_product(1))
    await keep(units_of_work, record(response=b"first"))

    with pytest.raises(KeyInProgress) as rejection:
        async with units_of_work.for_writing() as unit:
            change(unit)
            unit.idempotency_records.add(record(response=b"second"))
            await unit.commit()

    assert rejection.value.key == "key"
    assert await all_stored(units_of_work) == [new_product(1)]
    assert await kept(units_of_work) == record(response=b"first")


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda unit: unit.products.add(new_product(1)), AlreadyExists),
        (lambda unit: unit.products.update(next_version(new_product(7))), StaleVersion),
        (lambda unit: unit.products.remove(new_product(7)), StaleVersion),
    ],
)
async def test_a_rejected_change_has_no_record(
    units_of_work: UnitsOfWork, change: Change, error: type[Exception]
) -> None:
    await store(units_of_work, new_product(1))

    with pytest.raises(error):
        async with units_of_work.for_writing() as unit:
            change(unit)
            unit.idempotency_records.add(record())
            await unit.commit()

    assert await kept(units_of_work) is None


async def test_a_record_that_is_not_committed_is_not_there(units_of_work: UnitsOfWork) -> None:
    async with units_of_work.for_writing() as unit:
        unit.idempotency_records.add(record())

    assert await kept(units_of_work) is None


async def test_a_unit_sees_its_own_record(units_of_work: UnitsOfWork) -> None:
    async with units_of_work.for_writing() as unit:
        unit.products.add(new_product(1))
        unit.idempotency_records.add(record())
        assert await unit.idempotency_records.find("key") == record()
        await unit.commit()

    assert await kept(units_of_work) == record()


async def test_of_several_concurrent_changes_with_one_key_one_is_made(
    units_of_work: UnitsOfWork,
) -> None:
    async def change(number: int) -> None:
        async with units_of_work.for_writing() as unit:
            unit.products.add(new_product(number))
            unit.idempotency_records.add(record(response=b"%d" % number))
            await unit.commit()

    outcomes = await asyncio.gather(*(change(n) for n in range(10)), return_exceptions=True)

    (winner,) = [n for n, outcome in enumerate(outcomes) if outcome is None]
    assert [type(outcome) for outcome in outcomes if outcome] == [KeyInProgress] * 9
    assert await all_stored(units_of_work) == [new_product(winner)]
    assert await kept(units_of_work) == record(response=b"%d" % winner)


async def test_a_removed_record_frees_its_key(units_of_work: UnitsOfWork) -> None:
    await keep(units_of_work, record())

    async with units_of_work.for_writing() as unit:
        unit.idempotency_records.remove(record())
        await unit.commit()

    await keep(units_of_work, record(response=b"second"))
    assert await kept(units_of_work) == record(response=b"second")


async def test_a_record_that_took_the_place_of_another_is_not_removed_for_it(
    units_of_work: UnitsOfWork,
) -> None:
    later = record(expires_at=NOW + timedelta(hours=1))
    await keep(units_of_work, later)

    async with units_of_work.for_writing() as unit:
        unit.idempotency_records.remove(record())
        await unit.commit()

    assert await kept(units_of_work) == later


async def test_expiries_are_sorted_and_limited(units_of_work: UnitsOfWork) -> None:
    await keep(units_of_work, *(expiring(number) for number in (3, 1, 4, 0, 2)))
    until = expiring(3).expires_at

    async with units_of_work.for_writing() as unit:
        two = await unit.idempotency_records.expiries(until, 2)
        all_of_them = await unit.idempotency_records.expiries(until, 10)

    assert list(two) == [expiring(n).expires_at for n in (0, 1)]
    assert list(all_of_them) == [expiring(n).expires_at for n in (0, 1, 2, 3)]


async def test_the_expired_are_removed_and_no_others(units_of_work: UnitsOfWork) -> None:
    await keep(units_of_work, *(expiring(number) for number in range(5)))

    async with units_of_work.for_writing() as unit:
        unit.idempotency_records.remove_expired(expiring(2).expires_at)
        await unit.commit()

    left = [n for n in range(5) if await kept(units_of_work, expiring(n).key)]
    assert left == [3, 4]
