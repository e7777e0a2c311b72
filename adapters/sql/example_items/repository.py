from typing import Protocol
from uuid import UUID

from sqlalchemy import bindparam, delete, insert, select, update

from adapters.sql.example_items.mapper import COLUMNS, to_item, to_parameters
from adapters.sql.kernel.execution.database import Fetches, Write
from adapters.sql.tables import example_items
from application.example_items.repository import ExampleItemPage
from application.kernel.errors import DuplicateId, StaleVersion
from domain.example_item import ExampleItem

_columns = example_items.c
_is_expected_version = (_columns.id == bindparam("expected_id")) & (
    _columns.version == bindparam("expected_version")
)

CHANGING = ("name", "description", "version", "updated_at")

# A statement is built here, once: each database compiles it on first use and keeps it.
GET = select(*COLUMNS).where(_columns.id == bindparam("id"))
FIRST_PAGE = select(*COLUMNS).order_by(_columns.id).limit(bindparam("limit"))
NEXT_PAGE = FIRST_PAGE.where(_columns.id > bindparam("after"))
ADD = insert(example_items)
UPDATE = (
    update(example_items)
    .where(_is_expected_version)
    .values({name: bindparam(name) for name in CHANGING})
    .returning(_columns.id)
)
REMOVE = delete(example_items).where(_is_expected_version).returning(_columns.id)


class TakesWrites(Fetches, Protocol):
    """What a repository needs of its unit of work."""

    def write(self, write: Write) -> None: ...


class SqlExampleItemReader:
    def __init__(self, unit: Fetches) -> None:
        self._unit = unit

    async def get(self, item_id: UUID) -> ExampleItem | None:
        rows = await self._unit.fetch(GET, {"id": item_id})
        return to_item(rows[0]) if rows else None

    async def page(self, after: UUID | None, limit: int) -> ExampleItemPage:
        # One more than asked for tells whether there is a next page.
        if after is None:
            rows = await self._unit.fetch(FIRST_PAGE, {"limit": limit + 1})
        else:
            rows = await self._unit.fetch(NEXT_PAGE, {"limit": limit + 1, "after": after})
        items = [to_item(row) for row in rows[:limit]]
        return ExampleItemPage(items, items[-1].id if len(rows) > limit else None)


class SqlExampleItemRepository(SqlExampleItemReader):
    def __init__(self, unit: TakesWrites) -> None:
        super().__init__(unit)
        self._writes = unit

    def add(self, item: ExampleItem) -> None:
        self._writes.write(
            Write(ADD, to_parameters(item), refused={"pk_example_items": DuplicateId(item.id)})
        )

    def update(self, item: ExampleItem) -> None:
        values = to_parameters(item)
        parameters = {
            **{name: values[name] for name in CHANGING},
            "expected_id": item.id,
            "expected_version": item.version - 1,
        }
        self._writes.write(Write(UPDATE, parameters, missed=StaleVersion(item.id)))

    def remove(self, item: ExampleItem) -> None:
        expected = {"expected_id": item.id, "expected_version": item.version}
        self._writes.write(Write(REMOVE, expected, missed=StaleVersion(item.id)))
