"""Ports: the collection of all aggregates of one kind. The port of an aggregate adds its own
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
    """A part of a collection, in creation order.

    `next_after` is what to ask the following page with, None on the last page.
    """

    items: Sequence[_A_co]
    next_after: UUID | None


class Reader(Protocol[_A_co]):
    """The collection as a reading unit of work sees it."""

    async def get(self, entity_id: UUID) -> _A_co | None:
        """Return the aggregate, None if there is none of this id."""
        ...

    async def existing(self, entity_id: UUID, expected: Versions = ANY) -> _A_co:
        """Return the aggregate; raise `NotFound`, or `VersionMismatch` if its version is not one
        of the expected ones."""
        ...

    async def page(self, after: UUID | None, limit: int) -> Page[_A_co]:
        """Return up to `limit` aggregates that were created after the one with the id `after`
        (which need not exist any more), or from the beginning. This is keyset pagination: every
        page takes the same time."""
        ...


class Repository(Reader[_A], Protocol[_A]):
    """The collection as a writing unit of work sees it.

    The three writing methods only note the change. It is made, or rejected, when the unit of work
    commits, or earlier if the same unit reads again: that is when each raises what it names here.
    """

    def add(self, entity: _A) -> None:
        """Add a new one; `AlreadyExists` if its id is taken."""
        ...

    def update(self, entity: _A) -> None:
        """Replace its previous version by this one; `StaleVersion` if the stored version is any
        other."""
        ...

    def remove(self, entity: _A) -> None:
        """Remove it; `StaleVersion` if the stored version is any other."""
        ...
