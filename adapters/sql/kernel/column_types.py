"""Column types for ids and times, and columns that several tables share."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from asyncpg.pgproto import pgproto
from sqlalchemy import CheckConstraint, Column, DateTime, Dialect, Integer, String, Uuid
from sqlalchemy.schema import SchemaItem
from sqlalchemy.types import UserDefinedType

from domain.kernel.rules import Text


class UuidText(UserDefinedType[UUID]):
    """A UUID as 32 hexadecimal digits, for a database without a UUID type."""

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
        # The UUID class of asyncpg, which is created seven times faster than Python's.
        def to_uuid(text: str | None) -> UUID | None:
            return None if text is None else pgproto.UUID(text)

        return to_uuid


class UtcText(UserDefinedType[datetime]):
    """A UTC time as ISO 8601 text, for a database without a type for it. The text has a fixed
    width, so that its order is the order of the times."""

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


def versioned_columns() -> list[SchemaItem]:
    """Return the columns of `Aggregate`."""
    return [
        Column("id", Id, primary_key=True),
        Column("version", Integer, nullable=False),
        Column("created_at", UtcTime, nullable=False),
        Column("updated_at", UtcTime, nullable=False),
        CheckConstraint("version >= 1", name="version"),
    ]


def text_column(
    name: str, rule: Text, *, nullable: bool = False, **options: Any
) -> list[SchemaItem]:
    """Return a column for texts that follow the rule, and a check constraint on their length:
    SQLite does not enforce the length of a VARCHAR."""
    length = f"length({name})"
    check = (
        f"{length} BETWEEN {rule.min_length} AND {rule.max_length}"
        if rule.min_length
        else f"{length} <= {rule.max_length}"
    )
    return [
        Column(name, String(rule.max_length), nullable=nullable, **options),
        CheckConstraint(check, name=f"{name}_length"),
    ]
