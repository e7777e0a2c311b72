"""Make the change of a request once, however often the request is sent (idempotency keys)."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from typing import NamedTuple, TypeVar

from application.kernel.clock import Clock
from application.kernel.commits import COMMITS
from application.kernel.errors import (
    ApplicationError,
    KeyInProgress,
    KeyReused,
    OutcomeUnknown,
    StorageFull,
    StorageUnavailable,
)
from application.kernel.idempotency_records import IdempotencyRecord, recording
from application.kernel.unit_of_work import ReadingUnit, UnitsOfWork, WritingUnit
from domain.kernel.conflict import Conflict
from domain.kernel.rules import RulesBroken

_T = TypeVar("_T")

PURGE_BATCH = 1_000


class RecordedResponse(NamedTuple):
    content: bytes
    is_replayed: bool


class Idempotency:
    """Makes it safe for a client to retry a request whose response it has not received.

    The record of a change is committed with the change. It is not looked up first: the keys of
    records are unique, so the storage rejects the second of two requests, which then gets the
    response of the first. So a request that is sent once costs no extra query, and of two
    concurrent requests only one makes its change, even if two processes serve them.

    Only changes have records. A request that was rejected or failed has changed nothing, and may be
    retried with its key. A change whose outcome is unknown is retried here, once.
    """

    def __init__(
        self,
        units_of_work: UnitsOfWork[ReadingUnit, WritingUnit],
        clock: Clock,
        lifetime: timedelta,
    ) -> None:
        self._units_of_work = units_of_work
        self._clock = clock
        self._lifetime = lifetime
        self._in_progress: set[str] = set()

    async def once(
        self,
        key: str,
        fingerprint: bytes,
        change: Callable[[], Awaitable[_T]],
        respond: Callable[[_T], bytes],
    ) -> RecordedResponse:
        """Make the change and return its response, or return the response of an earlier request
        with the same key.

        `change` is a use case that passes its result to `commit` of its unit of work, which
        commits the record with it; `respond` creates the response from that result. Raises the
        errors of `change`, `KeyReused` if the key was used with another fingerprint,
        `KeyInProgress` if a request with the key is in progress, and `RuntimeError` if the change
        was committed without a result.
        """
        if key in self._in_progress:
            raise KeyInProgress(key)
        self._in_progress.add(key)
        attempt = partial(self._once, key, fingerprint, change, respond)
        try:
            return await attempt()
        except OutcomeUnknown as unknown:
            return await _retry(attempt, unknown)
        finally:
            self._in_progress.remove(key)

    async def purge(self) -> bool:
        """Remove a batch of expired records; return whether there are more."""
        async with self._units_of_work.for_writing() as unit:
            expiries = await unit.idempotency_records.expiries(self._clock.now(), PURGE_BATCH)
            if expiries:
                unit.idempotency_records.remove_expired(expiries[-1])
                await unit.commit()
        return len(expiries) == PURGE_BATCH

    async def _once(
        self,
        key: str,
        fingerprint: bytes,
        change: Callable[[], Awaitable[_T]],
        respond: Callable[[_T], bytes],
    ) -> RecordedResponse:
        now = self._clock.now()
        recorded: tuple[object, bytes] | None = None

        def record(result: _T) -> IdempotencyRecord:
            nonlocal recorded
            recorded = result, respond(result)
            return IdempotencyRecord(key, fingerprint, recorded[1], now + self._lifetime)

        commits = COMMITS.get()
        while True:
            made = commits.made
            try:
                with recording(record):
                    result = await change()
            except (StorageUnavailable, StorageFull, OutcomeUnknown):
                raise
            except (ApplicationError, Conflict, RulesBroken):
                # The cause may be an earlier success of this request: what it deleted no longer
                # exists, and what it changed has another version.
                earlier = await self._find(key)
                if earlier is None:
                    raise
                if earlier.expires_at > now:
                    return _replayed(earlier, fingerprint)
                await self._remove(earlier)
            else:
                # A retried use case may have recorded a result that is not its last one.
                if recorded and (result is recorded[0] or result is None):
                    return RecordedResponse(recorded[1], is_replayed=False)
                if commits.made > made:
                    raise RuntimeError(
                        "a change was committed without its idempotency record: pass what the use "
                        "case returns to commit() of its unit of work"
                    )
                # There was nothing to change, and the cause may again be an earlier success.
                earlier = await self._find(key)
                if earlier and earlier.expires_at > now:
                    return _replayed(earlier, fingerprint)
                return RecordedResponse(respond(result), is_replayed=False)

    async def _find(self, key: str) -> IdempotencyRecord | None:
        async with self._units_of_work.for_reading() as unit:
            return await unit.idempotency_records.find(key)

    async def _remove(self, record: IdempotencyRecord) -> None:
        async with self._units_of_work.for_writing() as unit:
            unit.idempotency_records.remove(record)
            await unit.commit()


def _replayed(earlier: IdempotencyRecord, fingerprint: bytes) -> RecordedResponse:
    if earlier.fingerprint != fingerprint:
        raise KeyReused(earlier.key) from None
    return RecordedResponse(earlier.response, is_replayed=True)


async def _retry(
    attempt: Callable[[], Awaitable[RecordedResponse]], unknown: OutcomeUnknown
) -> RecordedResponse:
    """Attempt the change once more, which is safe: if it was made, its record rejects this one."""
    try:
        return await attempt()
    except (StorageUnavailable, StorageFull):
        # This attempt has changed nothing, but the first one may have.
        raise unknown from None
