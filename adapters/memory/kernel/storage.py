from collections.abc import Callable
from typing import Generic, TypeVar

from adapters.memory.kernel.journal import Tables
from adapters.memory.kernel.unit_of_work import MemoryUnit, MemoryUnitsOfWork

_U = TypeVar("_U", bound=MemoryUnit)


class MemoryStorage(Generic[_U]):
    """A storage that is empty at the start and lost when the process ends."""

    def __init__(self, unit: Callable[[Tables], _U]) -> None:
        self.units_of_work = MemoryUnitsOfWork(unit)

    async def open(self) -> None:
        """Do nothing: there is nothing to open."""

    async def check(self) -> None:
        """Do nothing: memory is always available."""

    async def close(self) -> None:
        """Do nothing: there is nothing to close."""
