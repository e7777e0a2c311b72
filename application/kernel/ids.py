from typing import Protocol
from uuid import UUID


class IdSource(Protocol):
    """Port: the source of new ids."""

    def new_id(self) -> UUID:
        """Return an id that was never returned before and sorts after all that were.

        UUIDv7 (RFC 9562, section 5.7) is such an id and needs no central counter.
        """
        ...
