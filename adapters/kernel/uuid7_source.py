from uuid import UUID

from uuid_utils.compat import uuid7


class Uuid7Source:
    """An `IdSource` of UUIDv7 (RFC 9562, section 5.7): sorted by time, within one process also
    those of the same millisecond."""

    def new_id(self) -> UUID:
        return uuid7()
