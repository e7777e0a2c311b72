"""A repository of values in memory."""

from heapq import nsmallest
from typing import ClassVar, Generic, TypeVar
from uuid import UUID

from adapters.memory.kernel.journal import Journal, State
from application.kernel.errors import AlreadyExists, StaleVersion
from application.kernel.repository import Page
from application.kernel.versions import ANY, Versions, expect
from domain.kernel.aggregate import Aggregate

_A = TypeVar("_A", bound=Aggregate)


class MemoryRepository(Generic[_A]):
    """Implements `Repository` on the committed aggregates and the unit's own changes.

    A subclass names the aggregate and adds the queries of its own port:

        class MemoryBooks(MemoryRepository[Book]):
            entity = Book
    """

    entity: ClassVar[type[Aggregate]]

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._table = self.entity.__name__
        self._kind = self.entity.kind()

    async def get(self, entity_id: UUID) -> _A | None:
        found: _A | None = self._journal.state().find(self._table, entity_id)
        return found

    async def existing(self, entity_id: UUID, expected: Versions = ANY) -> _A:
        return expect(await self.get(entity_id), self._kind, entity_id, expected)

    async def page(self, after: UUID | None, limit: int) -> Page[_A]:
        rows = self._journal.state().rows(self._table).values()
        following = (row for row in rows if after is None or row.id > after)
        # One more than the limit shows whether there is a next page.
        items = nsmallest(limit + 1, following, key=lambda row: row.id)
        return Page(items[:limit], items[limit - 1].id if len(items) > limit else None)

    def add(self, entity: _A) -> None:
        def step(state: State) -> None:
            if state.find(self._table, entity.id) is not None:
                raise AlreadyExists(self._kind, entity.id)
            state.put(self._table, entity.id, entity)

        self._journal.note(step)

    def update(self, entity: _A) -> None:
        def step(state: State) -> None:
            self._expect_version(state, entity.id, entity.version - 1)
            state.put(self._table, entity.id, entity)

        self._journal.note(step)

    def remove(self, entity: _A) -> None:
        def step(state: State) -> None:
            self._expect_version(state, entity.id, entity.version)
            state.put(self._table, entity.id, None)

        self._journal.note(step)

    def _expect_version(self, state: State, entity_id: UUID, version: int) -> None:
        stored = state.find(self._table, entity_id)
        if stored is None or stored.version != version:
            raise StaleVersion(self._kind, entity_id)
