"""Port: idempotency records. The record of a request that made a change has the response, which is
returned to a retry of the request."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

KEY_MAX_LENGTH = 255


@dataclass(frozen=True, slots=True)
class IdempotencyRecord:
    """Records that a change was made, and what the response was.

    The client chose the key as a name for its request. The fingerprint distinguishes different
    requests with the same key. Only the entrypoint reads the response.
    """

    key: str
    fingerprint: bytes
    response: bytes
    expires_at: datetime


class IdempotencyRecordReader(Protocol):
    """The records as a reading unit of work sees them."""

    async def find(self, key: str) -> IdempotencyRecord | None:
        """Return the record with this key, even if it has expired, or None."""
        ...


class IdempotencyRecords(IdempotencyRecordReader, Protocol):
    """The records as a writing unit of work sees them. Its commit writes them together with its
    changes, or writes none of both."""

    def add(self, record: IdempotencyRecord) -> None:
        """Add a record. Raises `KeyInProgress` if there is one with its key, expired or not."""
        ...

    def remove(self, record: IdempotencyRecord) -> None:
        """Remove this record if it still exists."""
        ...

    async def expiries(self, until: datetime, limit: int) -> Sequence[datetime]:
        """Return the expiry times of the records that expire by `until`: the `limit` earliest, in
        ascending order."""
        ...

    def remove_expired(self, until: datetime) -> None:
        """Remove all records that expire by `until`."""
        ...


_Recorder = Callable[[Any], IdempotencyRecord | None]
_RECORDER: ContextVar[_Recorder | None] = ContextVar("idempotency_recorder", default=None)


@contextmanager
def recording(recorder: _Recorder) -> Iterator[None]:
    """Within the block, call `recorder` for the result of each commit, to create its record.

    A use case does not know the key of the request: a context variable passes the recorder to the
    unit of work that the use case commits.
    """
    token = _RECORDER.set(recorder)
    try:
        yield
    finally:
        _RECORDER.reset(token)


def record_of(result: object) -> IdempotencyRecord | None:
    """Return the record to commit with the change that has this result. Return None if the request
    has no idempotency key, or if the result is None."""
    recorder = _RECORDER.get()
    return None if recorder is None or result is None else recorder(result)
