"""The versions of an aggregate that a change expects."""

from collections.abc import Collection
from typing import TypeVar
from uuid import UUID

from application.kernel.errors import NotFound, VersionMismatch
from domain.kernel.aggregate import Aggregate

_A = TypeVar("_A", bound=Aggregate)

Versions = Collection[int] | None
"""The expected versions, or None for any version."""
ANY: Versions = None


def expect(found: _A | None, kind: str, entity_id: UUID, expected: Versions = ANY) -> _A:
    """Return the aggregate that was found. Raises `NotFound` if it is None, and `VersionMismatch`
    if its version is not one of the expected ones."""
    if found is None:
        raise NotFound(kind, entity_id)
    if expected is not None and found.version not in expected:
        raise VersionMismatch(kind, entity_id)
    return found
