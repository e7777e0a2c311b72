"""Ports: the repository of the aggregates of one kind. The port of an aggregate adds its own
queries to them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar
from uuid import UUID

from application.kernel.versions import ANY, Versions
from domain.kernel.aggregate import Aggregate

_A = TypeVar("_A", bound=Aggregate)
_A_co = TypeVar("_A_co", bound=Aggregate, covariant=True)


@dataclass(frozen=True, slots=True)
class Page(Generic[_A_co]):
    """A page of a collection, in creation order.

    `next_after` is the `after` of the next page, None on the last page.
    """

    items: Sequence[_A_co]
    next_after: UUID | None


class Reader(Protocol[_A_co]):
    """The collection as a reading unit of work sees it."""

    async def get(self, entity_id: UUID) -> _A_co | None:
        """Return the aggregate with this id, or None."""
        ...

    async def existing(self, entity_id: UUID, expected: Versions = ANY) -> _A_co:
        """Return the aggregate with this id. Raises `NotFound`, or `VersionMismatch` if its version
        is not one of the expected ones."""
        ...

    async def page(self, after: UUID | None, limit: int) -> Page[_A_co]:
        """Return up to `limit` aggregates that were created after the one with the id `after`
        (which may have been removed), or the first ones. This is keyset pagination: every page
        takes the same time."""
        ...


class Repository(Reader[_A], Protocol[_A]):
    """The collection as a writing unit of work sees it.

    The three writing methods only record the change. It is made, or rejected with the error that
    the method names, when the unit of work commits, or earlier if the same unit reads again.
    """

    def add(self, entity: _A) -> None:
        """Add a new aggregate. Raises `AlreadyExists` if its id is taken."""
        ...

    def update(self, entity: _A) -> None:
        """Replace the previous version by this one. Raises `StaleVersion` if another version is
        stored."""
        ...

    def remove(self, entity: _A) -> None:
        """Remove the aggregate. Raises `StaleVersion` if another version is stored."""
        ...
