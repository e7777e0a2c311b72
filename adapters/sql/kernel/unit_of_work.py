from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Generic, Self, TypeVar, overload

from adapters.sql.kernel.execution.database import (
    Database,
    Parameters,
    Row,
    Statement,
    Transaction,
    Write,
)
from adapters.sql.kernel.idempotency_records import (
    SqlIdempotencyRecordReader,
    SqlIdempotencyRecords,
)
from application.kernel.idempotency_records import record_of

_T = TypeVar("_T")
_R = TypeVar("_R", bound="SqlReadingUnit")
_W = TypeVar("_W", bound="SqlWritingUnit")


class SqlReadingUnit:
    """Reads committed data, each statement in a transaction of its own."""

    def __init__(self, database: Database) -> None:
        self.idempotency_records = SqlIdempotencyRecordReader(database)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Do nothing: there is no transaction to end."""


class SqlWritingUnit:
    """Collects its writes and sends them together at the commit.

    Until then it holds no connection and no lock, and a rollback has nothing to undo. Every update
    and removal checks the version that was read, so that two units that read the same aggregate
    cannot both change it. A unit opens a transaction before its commit only if it reads after a
    write, to see its own writes.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._writes: list[Write] = []
        # How many of the writes were sent in the transaction, which the first of them opens.
        self._sent = 0
        self._transaction: Transaction | None = None
        self._open: AsyncExitStack | None = None

    @property
    def idempotency_records(self) -> SqlIdempotencyRecords:
        # Created on demand: few units need it.
        return SqlIdempotencyRecords(self)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._writes = []
        await self._end_transaction()

    async def fetch(self, statement: Statement, parameters: Parameters) -> Sequence[Row]:
        """Return all rows, with this unit's own writes applied."""
        if not self._writes:
            return await self._database.fetch(statement, parameters)
        try:
            transaction = await self._send_writes()
            return await transaction.fetch(statement, parameters)
        except BaseException:
            # The next attempt sends the writes again, in a new transaction, and fails likewise.
            await self._end_transaction()
            raise

    def write(self, write: Write) -> None:
        """Add a write that the commit will send."""
        self._writes.append(write)

    @overload
    async def commit(self) -> None: ...
    @overload
    async def commit(self, result: _T) -> _T: ...

    async def commit(self, result: _T | None = None) -> _T | None:
        if record := record_of(result):
            self.idempotency_records.add(record)
        if self._transaction is None:
            await self._database.apply(self._writes)
        else:
            try:
                transaction = await self._send_writes()
                await transaction.commit()
            finally:
                await self._end_transaction()
        self._writes = []
        return result

    async def _send_writes(self) -> Transaction:
        if self._transaction is None:
            self._open = AsyncExitStack()
            self._transaction = await self._open.enter_async_context(self._database.transaction())
        await self._transaction.apply(self._writes[self._sent :])
        self._sent = len(self._writes)
        return self._transaction

    async def _end_transaction(self) -> None:
        """Roll back the transaction if it was not committed, and release the connection."""
        if self._open is not None:
            block, self._open, self._transaction = self._open, None, None
            self._sent = 0
            await block.aclose()


class SqlUnitsOfWork(Generic[_R, _W]):
    """Creates the units of work of one database."""

    def __init__(
        self,
        database: Database,
        reading: Callable[[Database], _R],
        writing: Callable[[Database], _W],
    ) -> None:
        self._database = database
        self._reading = reading(database)
        self._writing = writing

    def for_reading(self) -> _R:
        return self._reading

    def for_writing(self) -> _W:
        return self._writing(self._database)
