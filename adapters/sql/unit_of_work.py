from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from types import TracebackType
from typing import Self

from adapters.sql.example_items.repository import SqlExampleItemReader, SqlExampleItemRepository
from adapters.sql.kernel.execution.database import (
    Database,
    Parameters,
    Row,
    Statement,
    Transaction,
    Write,
)
from adapters.sql.kernel.idempotency_records import SqlReceiptReader, SqlReceipts


class SqlReadingUnitOfWork:
    """A `ReadingUnitOfWork`: every read stands for itself and sees what is committed."""

    def __init__(self, database: Database) -> None:
        self.example_items = SqlExampleItemReader(database)
        self.receipts = SqlReceiptReader(database)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """There is nothing to end."""


class SqlUnitOfWork:
    """A `UnitOfWork` that gathers its writes and sends them together when it commits.

    So it holds no connection and no lock while the use case thinks, and a rollback has nothing
    to undo. Two units that read the same item are told apart by its version, which every update
    and removal checks. Only a unit that reads again after it wrote opens a transaction before
    its commit, to see its own writes.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._writes: list[Write] = []
        # How many of the writes the transaction has; it is opened for the first of them.
        self._sent = 0
        self._transaction: Transaction | None = None
        self._open: AsyncExitStack | None = None
        self.example_items = SqlExampleItemRepository(self)

    @property
    def receipts(self) -> SqlReceipts:
        # Made when it is asked for, because few units need it.
        return SqlReceipts(self)

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
        """Return all rows, as this unit's own writes have left them."""
        if not self._writes:
            return await self._database.fetch(statement, parameters)
        try:
            transaction = await self._send_writes()
            return await transaction.fetch(statement, parameters)
        except BaseException:
            # What is not committed begins anew, so that a unit that was refused is so again.
            await self._end_transaction()
            raise

    def write(self, write: Write) -> None:
        """Take note of a write, for the commit."""
        self._writes.append(write)

    async def commit(self) -> None:
        if self._transaction is None:
            await self._database.apply(self._writes)
        else:
            try:
                transaction = await self._send_writes()
                await transaction.commit()
            finally:
                await self._end_transaction()
        self._writes = []

    async def _send_writes(self) -> Transaction:
        if self._transaction is None:
            self._open = AsyncExitStack()
            self._transaction = await self._open.enter_async_context(self._database.transaction())
        await self._transaction.apply(self._writes[self._sent :])
        self._sent = len(self._writes)
        return self._transaction

    async def _end_transaction(self) -> None:
        """Roll back what was not committed, and release the connection."""
        if self._open is not None:
            block, self._open, self._transaction = self._open, None, None
            self._sent = 0
            await block.aclose()


class SqlUnitsOfWork:
    """The `UnitsOfWork` of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._reading = SqlReadingUnitOfWork(database)

    def for_reading(self) -> AbstractAsyncContextManager[SqlReadingUnitOfWork]:
        return self._reading

    def for_writing(self) -> AbstractAsyncContextManager[SqlUnitOfWork]:
        return SqlUnitOfWork(self._database)
