"""Carrying out a request once, however often it comes (idempotency keys)."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from typing import NamedTuple, TypeVar, cast

from application.kernel.clock import Clock
from application.kernel.errors import (
    ApplicationError,
    KeyInProgress,
    KeyReused,
    OutcomeUnknown,
    StorageFull,
    StorageUnavailable,
)
from application.kernel.idempotency_records import Receipt, ReceiptFor
from application.unit_of_work import UnitsOfWork
from domain.kernel.rules import RulesBroken

_T = TypeVar("_T")

PURGE_BATCH = 1_000


class Answer(NamedTuple):
    content: bytes
    is_replayed: bool


class Idempotency:
    """Lets a client send a request again that it got no answer for.

    The receipt of a change is committed with the change. Nobody looks for it beforehand: the
    second of two requests is refused by the storage, because the receipts' keys are unique, and
    is then answered as the first was. So a request that comes once pays for no look, and two
    that come at the same time, whichever processes serve them, are told apart for certain.

    Only changes have receipts. What was refused or failed has changed nothing, and may be tried
    again with its key. A change whose outcome is unknown is tried again here, once.
    """

    def __init__(self, units_of_work: UnitsOfWork, clock: Clock, lifetime: timedelta) -> None:
        self._units_of_work = units_of_work
        self._clock = clock
        self._lifetime = lifetime
        self._in_progress: set[str] = set()

    async def once(
        self,
        key: str,
        fingerprint: bytes,
        change: Callable[[ReceiptFor[_T]], Awaitable[object]],
        answer: Callable[[_T], bytes],
    ) -> Answer:
        """Make the change and return its answer, or return that of the same request before.

        `change` commits the receipt that it makes, and returns what it made it of, or None. One
        that finds nothing to change may leave the receipt out. Raises what it raises,
        `KeyReused` if the key came with another fingerprint before, `KeyInProgress` if such a
        request is under way.
        """
        if key in self._in_progress:
            raise KeyInProgress(key)
        self._in_progress.add(key)
        attempt = partial(self._once, key, fingerprint, change, answer)
        try:
            return await attempt()
        except OutcomeUnknown as doubt:
            return await _again(attempt, doubt)
        finally:
            self._in_progress.remove(key)

    async def purge(self) -> bool:
        """Remove a batch of expired receipts; tell whether there are more."""
        async with self._units_of_work.for_writing() as unit:
            expiries = await unit.receipts.expiries(self._clock.now(), PURGE_BATCH)
            if expiries:
                unit.receipts.remove_expired(expiries[-1])
                await unit.commit()
        return len(expiries) == PURGE_BATCH

    async def _once(
        self,
        key: str,
        fingerprint: bytes,
        change: Callable[[ReceiptFor[_T]], Awaitable[object]],
        answer: Callable[[_T], bytes],
    ) -> Answer:
        now = self._clock.now()
        recorded: tuple[object, bytes] | None = None

        def receipt(result: _T) -> Receipt:
            nonlocal recorded
            recorded = result, answer(result)
            return Receipt(key, fingerprint, recorded[1], now + self._lifetime)

        while True:
            try:
                result = await change(receipt)
            except (StorageUnavailable, StorageFull, OutcomeUnknown):
                raise
            except (ApplicationError, RulesBroken):
                # Also a refusal of another name may come of an earlier success: what that one
                # deleted is not there, what it changed has another version.
                earlier = await self._find(key)
                if earlier is None:
                    raise
                if earlier.expires_at > now:
                    return _replayed(earlier, fingerprint)
                await self._remove(earlier)
            else:
                # A use case that was retried may have recorded another result than its last one.
                if recorded and (result is recorded[0] or result is None):
                    return Answer(recorded[1], is_replayed=False)
                # Nothing was left to change, which may come of an earlier success as well.
                earlier = await self._find(key)
                if earlier and earlier.expires_at > now:
                    return _replayed(earlier, fingerprint)
                return Answer(answer(cast(_T, result)), is_replayed=False)

    async def _find(self, key: str) -> Receipt | None:
        async with self._units_of_work.for_reading() as unit:
            return await unit.receipts.find(key)

    async def _remove(self, receipt: Receipt) -> None:
        async with self._units_of_work.for_writing() as unit:
            unit.receipts.remove(receipt)
            await unit.commit()


def _replayed(earlier: Receipt, fingerprint: bytes) -> Answer:
    if earlier.fingerprint != fingerprint:
        raise KeyReused(earlier.key) from None
    return Answer(earlier.answer, is_replayed=True)


async def _again(attempt: Callable[[], Awaitable[Answer]], doubt: OutcomeUnknown) -> Answer:
    """Attempt it once more. That is no danger: if the change was made, its receipt refuses it."""
    try:
        return await attempt()
    except (StorageUnavailable, StorageFull):
        # This attempt has changed nothing, but the one before may have.
        raise doubt from None
