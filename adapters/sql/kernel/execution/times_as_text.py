"""Read the `timestamptz` values of a page from PostgreSQL as text, which is faster.

Python parses ISO 8601 several times faster than asyncpg decodes a binary time, and a page of 50
rows can have a hundred times. So an ordered query of plain columns casts its `timestamptz` columns
to text. If Python cannot parse one (infinity, a year before 1 or after 9999, a session's own
DateStyle), the query is executed again as it was written.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Column, DateTime, Dialect, Executable, Select, Text, cast
from sqlalchemy.sql.visitors import iterate


class UnusualTimeError(Exception):
    """A time that only asyncpg's binary format can represent."""


def with_times_as_text(
    statement: Executable, dialect: Dialect
) -> tuple[Select[Any], list[int]] | None:
    """Return the query with its times cast to text, and their positions in a row; or None if the
    cast could change more than the format of the times."""
    if dialect.name != "postgresql" or not isinstance(statement, Select):
        return None
    columns = list(statement.selected_columns)
    times = [index for index, column in enumerate(columns) if _is_time(column, dialect)]
    if not times or not all(isinstance(column, Column) for column in columns):
        return None
    if any(part.__visit_name__ in _NAMED_BY_TEXT for part in iterate(statement)):
        return None
    as_text = statement.with_only_columns(
        *(
            cast(column, Text).label(f"time_{index}") if index in times else column
            for index, column in enumerate(columns)
        ),
        maintain_column_froms=True,
    )
    before, _, rest = _sql(statement, dialect).partition("\nFROM ")
    changed, _, changed_rest = _sql(as_text, dialect).partition("\nFROM ")
    # No DISTINCT, no WITH, and everything after the columns is unchanged.
    is_plain = rest == changed_rest and "DISTINCT" not in before and before.startswith("SELECT ")
    # For a single row it costs more than it saves; a query without an order is hardly a page.
    is_page = "ORDER BY" in rest
    return (as_text, times) if is_page and is_plain and changed.startswith("SELECT ") else None


def to_times(texts: Iterable[str | None]) -> Iterable[datetime | None]:
    """Return the times in UTC, as asyncpg does. Raises `UnusualTimeError` if one cannot be
    parsed."""
    texts = list(texts)
    try:
        if f"{','.join(texts)},".count("+00,") == len(texts):  # type: ignore[arg-type]
            return list(map(datetime.fromisoformat, texts))  # type: ignore[arg-type]
    except TypeError:
        pass  # one of them is NULL
    except ValueError:
        raise UnusualTimeError from None
    return [None if text is None else _to_time(text) for text in texts]


def _to_time(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise UnusualTimeError from None


# Elements that can refer to a result column by a name, which the cast would remove.
_NAMED_BY_TEXT = {"textclause", "textual_label_reference", "label_reference"}


def _is_time(column: Any, dialect: Dialect) -> bool:
    kind = column.type.dialect_impl(dialect)
    return (
        isinstance(kind, DateTime)
        and kind.timezone
        and kind.result_processor(dialect, None) is None
    )


def _sql(statement: Select[Any], dialect: Dialect) -> str:
    return str(statement.compile(dialect=dialect))
