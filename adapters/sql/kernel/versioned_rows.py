"""The statements of an aggregate's table, built once, and a repository that executes them."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import partial
from typing import Any, ClassVar, Generic, Protocol, TypeVar
from uuid import UUID

from sqlalchemy import Table, bindparam, delete, insert, select, update

from adapters.sql.kernel.execution.database import Fetches, Row, Write
from adapters.sql.kernel.restoring import restoring
from application.kernel.errors import AlreadyExists, ApplicationError, StaleVersion
from application.kernel.repository import Page
from application.kernel.versions import ANY, Versions, expect
from domain.kernel.aggregate import Aggregate

_A = TypeVar("_A", bound=Aggregate)

Violations = Mapping[str, Callable[[Any], ApplicationError]]
"""By the name of a constraint: a function that creates the error for an entity that violates it."""


class VersionedRows(Generic[_A]):
    """Stores each aggregate of one kind in a row. The table has a column for every field, of the
    same name.

    `load` and `dump` are needed only where a field and its column have different forms: `load`
    creates the entity from a row (in the order of the entity's fields), and `dump` returns the
    entity's values by column. `violations` has the error for each constraint that can reject an
    entity; the error for the primary key is included already.

    Raises `TypeError` if a field has no column, or if a required column has no field.
    """

    def __init__(
        self,
        table: Table,
        entity: type[_A],
        *,
        load: Callable[[Row], _A] | None = None,
        dump: Callable[[_A], Mapping[str, Any]] | None = None,
        violations: Violations | None = None,
    ) -> None:
        names = [each.name for each in fields(entity)]
        _check_columns(table, entity, names)
        self.kind = entity.kind()
        self.load = load or restoring(entity, names)
        self.dump = dump or partial(_values_of, tuple(names))
        self._violation_errors: Violations = {
            str(table.primary_key.name): lambda it: AlreadyExists(self.kind, it.id),
            **(violations or {}),
        }
        self.columns = [table.c[name] for name in names]
        is_expected_version = (table.c.id == bindparam("expected_id")) & (
            table.c.version == bindparam("expected_version")
        )
        self.changing = [name for name in names if name not in ("id", "created_at")]
        # Each database compiles a statement on first use and caches the result.
        self.get = select(*self.columns).where(table.c.id == bindparam("id"))
        self.first_page = select(*self.columns).order_by(table.c.id).limit(bindparam("limit"))
        self.next_page = self.first_page.where(table.c.id > bindparam("after"))
        self.insert = insert(table)
        self.update = (
            update(table)
            .where(is_expected_version)
            .values({name: bindparam(name) for name in self.changing})
            .returning(table.c.id)
        )
        self.delete = delete(table).where(is_expected_version).returning(table.c.id)

    def adding(self, entity: _A) -> Write:
        return Write(self.insert, self.dump(entity), violations=self._violations(entity))

    def updating(self, entity: _A) -> Write:
        values = self.dump(entity)
        parameters = {name: values[name] for name in self.changing}
        return self._of_expected(entity, entity.version - 1, self.update, parameters)

    def removing(self, entity: _A) -> Write:
        return self._of_expected(entity, entity.version, self.delete, {})

    def _of_expected(
        self, entity: _A, version: int, statement: Any, parameters: dict[str, Any]
    ) -> Write:
        parameters["expected_id"] = entity.id
        parameters["expected_version"] = version
        missed = StaleVersion(self.kind, entity.id)
        return Write(statement, parameters, missed=missed, violations=self._violations(entity))

    def _violations(self, entity: _A) -> Mapping[str, ApplicationError]:
        return {name: error_of(entity) for name, error_of in self._violation_errors.items()}


class TakesWrites(Fetches, Protocol):
    """The part of a unit of work that a repository needs."""

    def write(self, write: Write) -> None: ...


class SqlReader(Generic[_A]):
    """Implements `Reader`. A subclass names its rows and adds the queries of its own port:

    class SqlBookReader(SqlReader[Book]):
        rows = VersionedRows(books, Book)
    """

    rows: ClassVar[VersionedRows[Any]]

    def __init__(self, unit: Fetches) -> None:
        self._unit = unit

    async def get(self, entity_id: UUID) -> _A | None:
        found = await self._unit.fetch(self.rows.get, {"id": entity_id})
        return self.rows.load(found[0]) if found else None

    async def existing(self, entity_id: UUID, expected: Versions = ANY) -> _A:
        return expect(await self.get(entity_id), self.rows.kind, entity_id, expected)

    async def page(self, after: UUID | None, limit: int) -> Page[_A]:
        # One more than the limit shows whether there is a next page.
        if after is None:
            rows = await self._unit.fetch(self.rows.first_page, {"limit": limit + 1})
        else:
            parameters = {"limit": limit + 1, "after": after}
            rows = await self._unit.fetch(self.rows.next_page, parameters)
        items = list(map(self.rows.load, rows[:limit]))
        return Page(items, items[-1].id if len(rows) > limit else None)


class SqlRepository(SqlReader[_A]):
    """Implements `Repository`. The commit of the unit of work sends its writes."""

    def __init__(self, unit: TakesWrites) -> None:
        super().__init__(unit)
        self._writes = unit

    def add(self, entity: _A) -> None:
        self._writes.write(self.rows.adding(entity))

    def update(self, entity: _A) -> None:
        self._writes.write(self.rows.updating(entity))

    def remove(self, entity: _A) -> None:
        self._writes.write(self.rows.removing(entity))


def _values_of(names: tuple[str, ...], entity: Any) -> dict[str, Any]:
    return {name: getattr(entity, name) for name in names}


def _check_columns(table: Table, entity: type[Any], names: list[str]) -> None:
    if missing := [name for name in names if name not in table.c]:
        raise TypeError(
            f"the table {table.name} has no column for {', '.join(missing)} of {entity.__name__}"
        )
    unset = [
        each.name
        for each in table.c
        if each.name not in names and not (each.nullable or each.server_default or each.default)
    ]
    if unset:
        raise TypeError(
            f"{entity.__name__} has no field for {', '.join(unset)} of the table {table.name}"
        )
