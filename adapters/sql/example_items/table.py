from sqlalchemy import Table

from adapters.sql.kernel.column_types import text_column, versioned_columns
from adapters.sql.kernel.metadata import metadata
from domain.example_item import DESCRIPTION, NAME

example_items = Table(
    "example_items",
    metadata,
    *versioned_columns(),
    *text_column("name", NAME),
    *text_column("description", DESCRIPTION, nullable=True),
    # The rows lie in the order of their keys, so that a page is one walk.
    sqlite_with_rowid=False,
)
