from adapters.memory.unit_of_work import MemoryUnitsOfWork


class MemoryStorage:
    """A storage that begins empty and ends with the process."""

    def __init__(self) -> None:
        self.units_of_work = MemoryUnitsOfWork()

    async def open(self) -> None:
        """There is nothing to open."""

    async def check(self) -> None:
        """It can always be used."""

    async def close(self) -> None:
        """There is nothing to close."""
