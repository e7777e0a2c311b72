from collections.abc import Callable
from types import TracebackType
from typing import Generic, Self, TypeVar, overload

from adapters.memory.kernel.idempotency_records import MemoryIdempotencyRecords
from adapters.memory.kernel.journal import Journal, Tables
from application.kernel.commits import Committing
from application.kernel.idempotency_records import record_of

_T = TypeVar("_T")
_U = TypeVar("_U", bound="MemoryUnit")


class MemoryUnit:
    """A unit of work on values in memory, with the rules of a database: no other unit sees its
    changes before the commit, and the commit makes all of them visible or none."""

    def __init__(self, committed: Tables) -> None:
        self.journal = Journal(committed)
        self.idempotency_records = MemoryIdempotencyRecords(self.journal)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.journal.forget()

    @overload
    async def commit(self) -> None: ...
    @overload
    async def commit(self, result: _T) -> _T: ...

    async def commit(self, result: _T | None = None) -> _T | None:
        if record := record_of(result):
            self.idempotency_records.add(record)
        # There is no await between the checks and the changes: no other unit can come between.
        state = self.journal.state()
        if state.changes:
            with Committing():
                self.journal.commit(state)
        return result


class MemoryUnitsOfWork(Generic[_U]):
    """Creates the units of work of one storage, whose data live as long as this object."""

    def __init__(self, unit: Callable[[Tables], _U]) -> None:
        self._unit = unit
        self._committed: Tables = {}

    def for_reading(self) -> _U:
        return self._unit(self._committed)

    def for_writing(self) -> _U:
        return self._unit(self._committed)
