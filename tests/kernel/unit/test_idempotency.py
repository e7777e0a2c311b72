"""A change is made once per key, and each retry gets the first response."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from application.kernel.commits import COMMITS, Commits, Committing, Outcome
from application.kernel.errors import (
    KeyInProgress,
    KeyReused,
    NotFound,
    OutcomeUnknown,
    StaleVersion,
    StorageFull,
    StorageUnavailable,
)
from application.kernel.idempotency import PURGE_BATCH, Idempotency, RecordedResponse
from application.kernel.idempotency_records import IdempotencyRecord, record_of
from domain.kernel.rules import RulesBroken
from tests.kernel.counting_ids import CountingIds
from tests.kernel.fixed_clock import FixedClock
from tests.kernel.warehouse.application import ProductService
from tests.kernel.warehouse.domain import Product
from tests.kernel.warehouse.storages import MemoryUnitsOfWork

Change = Callable[[], Awaitable[Product]]
HOUR = timedelta(hours=1)


@pytest.fixture
def units_of_work() -> MemoryUnitsOfWork:
    return MemoryUnitsOfWork()


@pytest.fixture
def service(units_of_work: MemoryUnitsOfWork, clock: FixedClock) -> ProductService:
    return ProductService(units_of_work, clock, CountingIds())


@pytest.fixture
def idempotency(units_of_work: MemoryUnitsOfWork, clock: FixedClock) -> Idempotency:
    return Idempotency(units_of_work, clock, HOUR)


def creating(service: ProductService, name: str = "lamp") -> Change:
    return lambda: service.create(name)


def respond(item: Product) -> bytes:
    return f"{item.name}, version {item.version}".encode()


async def count(service: ProductService) -> int:
    return len((await service.page(None, 100)).items)


async def test_the_second_request_gets_the_response_of_the_first(
    service: ProductService, idempotency: Idempotency
) -> None:
    first = await idempotency.once("key", b"print", creating(service), respond)
    second = await idempotency.once("key", b"print", creating(service), respond)

    assert first == RecordedResponse(b"lamp, version 1", is_replayed=False)
    assert second == RecordedResponse(b"lamp, version 1", is_replayed=True)
    assert await count(service) == 1


async def test_a_change_is_not_made_on_top_of_itself(
    service: ProductService, idempotency: Idempotency
) -> None:
    item = await service.create("lamp", None)

    def changing() -> Awaitable[Product]:
        return service.change(item.id, name="desk")

    await idempotency.once("key", b"print", changing, respond)
    await service.change(item.id, name="chair")
    again = await idempotency.once("key", b"print", changing, respond)

    assert again == RecordedResponse(b"desk, version 2", is_replayed=True)
    assert (await service.get(item.id)).name == "chair"


async def test_what_was_deleted_or_has_another_version_by_then_is_no_hindrance(
    service: ProductService, idempotency: Idempotency
) -> None:
    item = await service.create("lamp", None)

    def replacing() -> Awaitable[Product]:
        return service.change(item.id, [1], name="desk", description=None)

    def deleting() -> Awaitable[Product]:
        return service.delete(item.id)

    for key, change in (("replace", replacing), ("delete", deleting)):
        first = await idempotency.once(key, b"print", change, respond)
        assert await idempotency.once(key, b"print", change, respond) == (first.content, True)
    assert (await idempotency.once("replace", b"print", replacing, respond)).is_replayed


async def test_a_use_case_that_commits_without_its_result_raises(
    service: ProductService, idempotency: Idempotency, units_of_work: MemoryUnitsOfWork
) -> None:
    """A retry would make its change a second time."""
    item = await service.create("lamp", None)

    async def deleting() -> Product:
        async with units_of_work.for_writing() as unit:
            unit.products.remove(item)
            await unit.commit()
        return item

    with pytest.raises(RuntimeError, match="without its idempotency record"):
        await idempotency.once("key", b"print", deleting, respond)


async def test_a_change_of_nothing_needs_no_record(
    service: ProductService, idempotency: Idempotency, units_of_work: MemoryUnitsOfWork
) -> None:
    item = await service.create("lamp", None)

    async def nothing_to_change() -> Product:
        async with units_of_work.for_writing() as unit:
            await unit.commit()
        return item

    for _ in range(2):
        again = await idempotency.once("key", b"print", nothing_to_change, respond)
        assert again == RecordedResponse(b"lamp, version 1", is_replayed=False)


async def test_a_retry_that_finds_nothing_to_change_gets_the_first_response(
    service: ProductService, idempotency: Idempotency
) -> None:
    item = await service.create("lamp", None)

    async def make_it_a_desk() -> Product:
        present = await service.get(item.id)
        if present.name == "desk":
            return present
        return await service.change(item.id, name="desk")

    await idempotency.once("key", b"print", make_it_a_desk, respond)
    await service.change(item.id, description="It stands.")
    again = await idempotency.once("key", b"print", make_it_a_desk, respond)

    assert again == RecordedResponse(b"desk, version 2", is_replayed=True)
    with pytest.raises(KeyReused):
        await idempotency.once("key", b"another", make_it_a_desk, respond)


async def test_the_result_of_an_attempt_that_was_rolled_back_is_not_the_response(
    service: ProductService, idempotency: Idempotency
) -> None:
    item = await service.create("lamp", None)

    async def lose_a_conflict_then_find_nothing_to_change() -> Product:
        record_of(item.changed(FixedClock.time, name="desk"))
        return await service.get(item.id)

    lost = lose_a_conflict_then_find_nothing_to_change
    assert (await idempotency.once("key", b"print", lost, respond)).content == b"lamp, version 1"


async def test_another_request_with_the_same_key_is_rejected(
    service: ProductService, idempotency: Idempotency
) -> None:
    await idempotency.once("key", b"print", creating(service), respond)

    with pytest.raises(KeyReused) as rejection:
        await idempotency.once("key", b"another", creating(service, "desk"), respond)

    assert rejection.value.key == "key"
    assert await count(service) == 1


async def test_a_request_is_rejected_while_the_first_is_in_progress(
    service: ProductService, idempotency: Idempotency
) -> None:
    go_on = asyncio.Event()

    async def waiting() -> Product:
        await go_on.wait()
        return await service.create("lamp", None)

    first = asyncio.create_task(idempotency.once("key", b"print", waiting, respond))
    await asyncio.sleep(0)
    with pytest.raises(KeyInProgress):
        await idempotency.once("key", b"print", creating(service), respond)
    go_on.set()
    await first

    assert (await idempotency.once("key", b"print", creating(service), respond)).is_replayed
    assert await count(service) == 1


async def test_a_cancelled_request_leaves_its_key_free(
    service: ProductService, idempotency: Idempotency
) -> None:
    async def waiting() -> Product:
        await asyncio.Event().wait()
        raise AssertionError

    first = asyncio.create_task(idempotency.once("key", b"print", waiting, respond))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)

    assert not (await idempotency.once("key", b"print", creating(service), respond)).is_replayed


async def test_a_request_that_another_process_completes_meanwhile_gets_its_response(
    service: ProductService, idempotency: Idempotency, units_of_work: MemoryUnitsOfWork
) -> None:
    elsewhere = Idempotency(units_of_work, FixedClock(), HOUR)

    async def overtaken() -> Product:
        await elsewhere.once("key", b"print", creating(service), respond)
        return await service.create("lamp", None)

    late = await idempotency.once("key", b"print", overtaken, respond)

    assert late == RecordedResponse(b"lamp, version 1", is_replayed=True)
    assert await count(service) == 1


@pytest.mark.parametrize(
    "error",
    [
        StorageUnavailable("x"),
        StorageFull("x"),
        OutcomeUnknown("x"),
        NotFound("product", CountingIds().new_id()),
        StaleVersion("product", CountingIds().new_id()),
        RulesBroken(),
        RuntimeError("x"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_an_error_is_raised_and_the_request_may_be_retried(
    service: ProductService, idempotency: Idempotency, error: Exception
) -> None:
    async def failing() -> Product:
        raise error

    with pytest.raises(type(error)) as raised:
        await idempotency.once("key", b"print", failing, respond)

    assert raised.value is error
    assert not (await idempotency.once("key", b"other", creating(service), respond)).is_replayed


class Unlucky:
    """Makes a change, or does not, and loses its outcome; then all goes on as `afterwards` says."""

    def __init__(
        self, change: Change, *, is_made: bool, afterwards: BaseException | None = None
    ) -> None:
        self._change = change
        self._is_made = is_made
        self._afterwards = afterwards
        self.attempts = 0

    async def __call__(self) -> Product:
        self.attempts += 1
        if self.attempts > 1 and self._afterwards:
            raise self._afterwards
        if self.attempts > 1:
            return await self._change()
        if self._is_made:
            await self._change()
        raise OutcomeUnknown("first")


@pytest.mark.parametrize("is_made", [True, False])
async def test_a_change_with_an_unknown_outcome_is_retried_and_made_once(
    service: ProductService, idempotency: Idempotency, is_made: bool
) -> None:
    unlucky = Unlucky(creating(service), is_made=is_made)

    made = await idempotency.once("key", b"print", unlucky, respond)

    assert made == RecordedResponse(b"lamp, version 1", is_replayed=is_made)
    assert unlucky.attempts == 2
    assert await count(service) == 1


@pytest.mark.parametrize("error", [StorageUnavailable("x"), StorageFull("x"), OutcomeUnknown("x")])
async def test_an_unknown_outcome_stays_unknown_when_the_next_attempt_fails(
    service: ProductService, idempotency: Idempotency, error: Exception
) -> None:
    unlucky = Unlucky(creating(service), is_made=True, afterwards=error)

    with pytest.raises(OutcomeUnknown):
        await idempotency.once("key", b"print", unlucky, respond)

    assert unlucky.attempts == 2


async def test_an_unknown_outcome_stays_unknown_when_the_next_attempt_is_cancelled(
    service: ProductService, idempotency: Idempotency
) -> None:
    commits = Commits()
    COMMITS.set(commits)
    unlucky = Unlucky(creating(service), is_made=False, afterwards=asyncio.CancelledError())

    async def change() -> Product:
        with Committing():
            return await unlucky()

    with pytest.raises(asyncio.CancelledError):
        await idempotency.once("key", b"print", change, respond)

    assert commits.outcome is Outcome.UNKNOWN


async def test_an_expired_key_is_as_if_it_was_never_used(
    service: ProductService, idempotency: Idempotency, clock: FixedClock
) -> None:
    await idempotency.once("key", b"print", creating(service), respond)

    clock.time += HOUR - timedelta(microseconds=1)
    assert (await idempotency.once("key", b"print", creating(service), respond)).is_replayed
    clock.time += timedelta(microseconds=1)
    assert not (await idempotency.once("key", b"other", creating(service), respond)).is_replayed
    assert await count(service) == 2


async def test_expired_records_are_purged_in_batches(
    idempotency: Idempotency, units_of_work: MemoryUnitsOfWork, clock: FixedClock
) -> None:
    async with units_of_work.for_writing() as unit:
        for number in range(PURGE_BATCH + 2):
            lifetime = timedelta(microseconds=number)
            unit.idempotency_records.add(
                IdempotencyRecord(f"{number}", b"print", b"", clock.now() + lifetime)
            )
        await unit.commit()
    clock.time += timedelta(microseconds=PURGE_BATCH)

    assert await idempotency.purge()
    assert len(units_of_work._committed["idempotency_records"]) == 2
    assert not await idempotency.purge()
    assert len(units_of_work._committed["idempotency_records"]) == 1
    assert not await idempotency.purge()
