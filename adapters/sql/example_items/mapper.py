"""Between a row of `example_items` and an `ExampleItem`."""

from typing import Any

from adapters.sql.kernel.execution.database import Parameters, Row
from adapters.sql.tables import example_items
from domain.example_item import ExampleItem

# The order in which `to_item` reads a row.
COLUMNS = (
    example_items.c.id,
    example_items.c.name,
    example_items.c.description,
    example_items.c.version,
    example_items.c.created_at,
    example_items.c.updated_at,
)


def to_item(row: Row) -> ExampleItem:
    """Return the item that a row of COLUMNS holds."""
    # Made as `copy` makes one: the constructor of a frozen class is a tenth of a page of 50.
    item = object.__new__(ExampleItem)
    fields = item.__dict__
    (
        fields["id"],
        fields["name"],
        fields["description"],
        fields["version"],
        fields["created_at"],
        fields["updated_at"],
    ) = row
    return item


def to_parameters(item: ExampleItem) -> Parameters:
    """Return the value of every column, by its name."""
    values: dict[str, Any] = {
        "id": item.id,
        "name": item.name,
        "description": item.description,
        "version": item.version,
        "created_at": item.created_at,
        "updated_at": item.updated_at,
    }
    return values
