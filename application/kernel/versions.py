"""Which versions of an aggregate a change is meant for."""

from collections.abc import Collection
from typing import TypeVar
from uuid import UUID

from application.kernel.errors import NotFound, VersionMismatch
from domain.kernel.aggregate import Aggregate

_A = TypeVar("_A", bound=Aggregate)

Versions = Collection[int] | None
"""Some versions, or None for whichever there is."""
ANY: Versions = None


def expect(found: _A | None, kind: str, entity_id: UUID, expected: Versions = ANY) -> _A:
    """Return what was found; raise `NotFound`, or `VersionMismatch` if it has another version."""
    if found is None:
        raise NotFound(kind, entity_id)
    if expected is not None and found.version not in expected:
        raise VersionMismatch(kind, entity_id)
    return found
