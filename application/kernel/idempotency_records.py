"""Port: idempotency records. The record of a request that made a change has its response, which a
retry of the request gets."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

KEY_MAX_LENGTH = 255


@dataclass(frozen=True, slots=True)
class IdempotencyRecord:
    """Says that a change was made, and what the response was.

    The client chose the key, to name its request by. The fingerprint distinguishes two requests
    with the same key. The response has a form that the entrypoint understands.
    """

    key: str
    fingerprint: bytes
    response: bytes
    expires_at: datetime


class IdempotencyRecordReader(Protocol):
    """The records as a reading unit of work sees them."""

    async def find(self, key: str) -> IdempotencyRecord | None:
        """Return the record of this key, also if it has expired, or None."""
        ...


class IdempotencyRecords(IdempotencyRecordReader, Protocol):
    """The records as a writing unit of work sees them. They are written by its commit, together
    with its changes or not at all."""

    def add(self, record: IdempotencyRecord) -> None:
        """Add a record; `KeyInProgress` if there is one of its key, expired or not."""
        ...

    def remove(self, record: IdempotencyRecord) -> None:
        """Remove this record, if it is still there."""
        ...

    async def expiries(self, until: datetime, limit: int) -> Sequence[datetime]:
        """Return when the records expire that do so by `until`: the `limit` first ones, in
        that order."""
        ...

    def remove_expired(self, until: datetime) -> None:
        """Remove all records that expire by `until`."""
        ...


_Recorder = Callable[[Any], IdempotencyRecord | None]
_RECORDER: ContextVar[_Recorder | None] = ContextVar("idempotency_recorder", default=None)


@contextmanager
def recording(recorder: _Recorder) -> Iterator[None]:
    """Within the block, have `recorder` make the record of each commit's result.

    A use case does not see the key of the request: a context variable passes it by, to the unit of
    work that the use case commits.
    """
    token = _RECORDER.set(recorder)
    try:
        yield
    finally:
        _RECORDER.reset(token)


def record_of(result: object) -> IdempotencyRecord | None:
    """Return the record to commit with a change of this result; None if the request has no
    idempotency key, or the result is None."""
    recorder = _RECORDER.get()
    return None if recorder is None or result is None else recorder(result)
