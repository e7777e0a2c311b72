from typing import Protocol
from uuid import UUID


class IdSource(Protocol):
    """Port: where new identities come from."""

    def new_id(self) -> UUID:
        """Return an id that was never returned before and sorts after those that were.

        UUIDv7 (RFC 9562, section 5.7) keeps that promise without a central counter.
        """
        ...
