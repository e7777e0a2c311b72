"""The tables. A change here needs a migration; a test compares the two."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from asyncpg.pgproto import pgproto
from sqlalchemy import (
    CheckConstraint,
    Column,
    DateTime,
    Dialect,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Uuid,
)
from sqlalchemy.types import UserDefinedType

from application.kernel.idempotency_records import KEY_MAX_LENGTH
from domain.example_item import DESCRIPTION_MAX_LENGTH, NAME_MAX_LENGTH


class UuidText(UserDefinedType[UUID]):
    """A UUID in a database that has no type for it: its 32 hexadecimal digits."""

    cache_ok = True

    def get_col_spec(self, **_options: Any) -> str:
        return "CHAR(32)"

    def bind_processor(self, dialect: Dialect) -> Callable[[UUID | None], str | None]:  # noqa: ARG002
        def to_text(value: UUID | None) -> str | None:
            return None if value is None else value.hex

        return to_text

    def result_processor(
        self,
        dialect: Dialect,  # noqa: ARG002
        coltype: object,  # noqa: ARG002
    ) -> Callable[[str | None], UUID | None]:
        # The kind of UUID that PostgreSQL's driver returns, made seven times faster than Python's.
        def to_uuid(text: str | None) -> UUID | None:
            return None if text is None else pgproto.UUID(text)

        return to_uuid


class UtcText(UserDefinedType[datetime]):
    """A UTC time in a database that has no type for it: ISO 8601 text of a fixed width, which
    sorts as the times do."""

    cache_ok = True

    def get_col_spec(self, **_options: Any) -> str:
        return "VARCHAR(32)"

    def bind_processor(self, dialect: Dialect) -> Callable[[datetime | None], str | None]:  # noqa: ARG002
        def to_text(time: datetime | None) -> str | None:
            return None if time is None else time.astimezone(UTC).isoformat(timespec="microseconds")

        return to_text

    def result_processor(
        self,
        dialect: Dialect,  # noqa: ARG002
        coltype: object,  # noqa: ARG002
    ) -> Callable[[str | None], datetime | None]:
        def to_time(text: str | None) -> datetime | None:
            return None if text is None else datetime.fromisoformat(text)

        return to_time


Id = Uuid().with_variant(UuidText(), "sqlite")
UtcTime = DateTime(timezone=True).with_variant(UtcText(), "sqlite")

metadata = MetaData(
    # Every constraint has a name of its own, so that errors and migrations can name it.
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

example_items = Table(
    "example_items",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", String(NAME_MAX_LENGTH), nullable=False),
    Column("description", String(DESCRIPTION_MAX_LENGTH)),
    Column("version", Integer, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("updated_at", UtcTime, nullable=False),
    # SQLite does not hold a VARCHAR to its length.
    CheckConstraint(f"length(name) BETWEEN 1 AND {NAME_MAX_LENGTH}", name="name_length"),
    CheckConstraint(f"length(description) <= {DESCRIPTION_MAX_LENGTH}", name="description_length"),
    CheckConstraint("version >= 1", name="version"),
    # The rows lie in the order of their keys, so that a page is one walk.
    sqlite_with_rowid=False,
)

receipts = Table(
    "receipts",
    metadata,
    Column("key", String(KEY_MAX_LENGTH), primary_key=True),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("answer", LargeBinary, nullable=False),
    # Those that expired are found by it.
    Column("expires_at", UtcTime, nullable=False, index=True),
    CheckConstraint(f"length(key) BETWEEN 1 AND {KEY_MAX_LENGTH}", name="key_length"),
)
