"""Ports: units of work, whose changes are made together or not at all.

`application.unit_of_work` adds the repositories of the aggregates to them.
"""

from contextlib import AbstractAsyncContextManager
from typing import Protocol, TypeVar, overload

from application.kernel.idempotency_records import IdempotencyRecordReader, IdempotencyRecords

_T = TypeVar("_T")
_Reading_co = TypeVar("_Reading_co", covariant=True)
_Writing_co = TypeVar("_Writing_co", covariant=True)


class ReadingUnit(Protocol):
    """Reads; there is nothing to commit."""

    @property
    def idempotency_records(self) -> IdempotencyRecordReader: ...


class WritingUnit(Protocol):
    """Reads and writes. Changes that are not committed when its block ends are rolled back, and no
    other unit ever sees them."""

    @property
    def idempotency_records(self) -> IdempotencyRecords: ...

    @overload
    async def commit(self) -> None: ...
    @overload
    async def commit(self, result: _T) -> _T:
        """Make all changes durable together, or raise and make none. Return `result`.

        `result` is what the use case returns. If the request has an idempotency key, a record with
        the response to it, created from `result`, is committed with the changes. A use case that
        commits several units passes its result to the last one.

        Raises the errors that the repositories' methods name, `TransactionConflict` or another
        `StorageUnavailable` (nothing was changed), `StorageFull`, or `OutcomeUnknown`.
        """
        ...


class UnitsOfWork(Protocol[_Reading_co, _Writing_co]):
    """Port: the source of units of work. A use case opens a new one each time it runs.

    async with units_of_work.for_writing() as unit:
        unit.books.add(book)
        return await unit.commit(book)
    """

    def for_reading(self) -> AbstractAsyncContextManager[_Reading_co]: ...

    def for_writing(self) -> AbstractAsyncContextManager[_Writing_co]: ...
