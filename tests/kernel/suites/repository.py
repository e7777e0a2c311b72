"""What the repository of every aggregate does, on each storage."""

from typing import Any
from uuid import UUID

import pytest

from application.kernel.errors import AlreadyExists, NotFound, StaleVersion, VersionMismatch


class RepositorySuite:
    """Tests of a repository. A subclass names it, and makes what it stores:

    class TestBooks(RepositorySuite):
        repository = "books"

        def new(self, number: int) -> Book:
            return Book.create(UUID(int=number), f"Book {number}", NOW)

        def changed(self, book: Book) -> Book:
            return book.next_version(NOW, title=f"{book.title}!")
    """

    repository: str
    """The attribute of the unit of work."""

    def new(self, number: int) -> Any:
        """Return version 1 of an aggregate with the id `UUID(int=number)`."""
        raise NotImplementedError

    def changed(self, entity: Any) -> Any:
        """Return its next version. It is called on what it returned, too."""
        raise NotImplementedError

    def of(self, unit: Any) -> Any:
        return getattr(unit, self.repository)

    async def store(self, units_of_work: Any, *numbers: int) -> None:
        async with units_of_work.for_writing() as unit:
            for number in numbers:
                self.of(unit).add(self.new(number))
            await unit.commit()

    async def stored(self, units_of_work: Any, number: int = 1) -> Any:
        async with units_of_work.for_reading() as unit:
            return await self.of(unit).get(UUID(int=number))

    async def test_an_added_aggregate_is_found(self, units_of_work: Any) -> None:
        await self.store(units_of_work, 1, 2)

        assert await self.stored(units_of_work, 1) == self.new(1)
        assert await self.stored(units_of_work, 3) is None

    async def test_uncommitted_changes_are_not_stored(self, units_of_work: Any) -> None:
        async with units_of_work.for_writing() as unit:
            self.of(unit).add(self.new(1))
            assert await self.of(unit).get(UUID(int=1)) == self.new(1)

        assert await self.stored(units_of_work) is None

    async def test_a_taken_id_is_rejected(self, units_of_work: Any) -> None:
        await self.store(units_of_work, 1)

        with pytest.raises(AlreadyExists) as error:
            await self.store(units_of_work, 1)

        assert error.value.id == UUID(int=1)

    async def test_an_update_replaces_the_version_before(self, units_of_work: Any) -> None:
        await self.store(units_of_work, 1)
        changed = self.changed(self.new(1))

        async with units_of_work.for_writing() as unit:
            self.of(unit).update(changed)
            await unit.commit()

        assert await self.stored(units_of_work) == changed

    async def test_a_removed_one_is_not_there(self, units_of_work: Any) -> None:
        await self.store(units_of_work, 1)

        async with units_of_work.for_writing() as unit:
            self.of(unit).remove(self.new(1))
            await unit.commit()

        assert await self.stored(units_of_work) is None

    @pytest.mark.parametrize("change", ["update", "remove"])
    async def test_a_stale_version_is_rejected(self, units_of_work: Any, change: str) -> None:
        await self.store(units_of_work, 1)
        first, second = self.new(1), self.changed(self.new(1))
        mine = {"update": self.changed(second), "remove": second}[change]

        with pytest.raises(StaleVersion):
            async with units_of_work.for_writing() as unit:
                getattr(self.of(unit), change)(mine)
                await unit.commit()

        assert await self.stored(units_of_work) == first

    async def test_a_version_can_be_expected(self, units_of_work: Any) -> None:
        await self.store(units_of_work, 1)

        async with units_of_work.for_reading() as unit:
            assert await self.of(unit).existing(UUID(int=1), [1]) == self.new(1)
            with pytest.raises(VersionMismatch):
                await self.of(unit).existing(UUID(int=1), [2])
            with pytest.raises(NotFound):
                await self.of(unit).existing(UUID(int=2))

    async def test_pages_are_in_creation_order(self, units_of_work: Any) -> None:
        await self.store(units_of_work, 3, 1, 2)

        async with units_of_work.for_reading() as unit:
            first = await self.of(unit).page(None, 2)
            last = await self.of(unit).page(first.next_after, 2)

        assert list(first.items) == [self.new(1), self.new(2)]
        assert (list(last.items), last.next_after) == ([self.new(3)], None)
