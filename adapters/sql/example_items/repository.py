from adapters.sql.example_items.table import example_items
from adapters.sql.kernel.versioned_rows import SqlReader, SqlRepository, VersionedRows
from domain.example_item import ExampleItem

ROWS = VersionedRows(example_items, ExampleItem)


class SqlExampleItemReader(SqlReader[ExampleItem]):
    rows = ROWS


class SqlExampleItemRepository(SqlRepository[ExampleItem]):
    rows = ROWS
