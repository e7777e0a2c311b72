"""Listeners of the engine, such as tracing libraries, hear of what units of work run."""

from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from application.kernel.errors import AlreadyExists
from tests.kernel.contract.products import all_stored, new_product, next_version, store, stored
from tests.kernel.warehouse.storages import SqlStorage

Heard = list[tuple[str, str]]


@pytest.fixture
def heard(engine: AsyncEngine, sql_storage: SqlStorage) -> Heard:
    """The statements, by their first word, before and after they run."""
    heard: Heard = []

    def before(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        assert connection.engine is engine.sync_engine
        heard.append(("before", statement.split(maxsplit=1)[0]))

    def after(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        heard.append(("after", statement.split(maxsplit=1)[0]))

    event.listen(engine.sync_engine, "before_cursor_execute", before)
    event.listen(engine.sync_engine, "after_cursor_execute", after)
    return heard


async def test_listeners_see_a_read(sql_storage: SqlStorage, heard: Heard) -> None:
    await all_stored(sql_storage.units_of_work)

    assert heard == [("before", "SELECT"), ("after", "SELECT")]


async def test_listeners_see_a_write(sql_storage: SqlStorage, heard: Heard) -> None:
    await store(sql_storage.units_of_work, new_product())

    assert heard == [("before", "INSERT"), ("after", "INSERT")]


async def test_listeners_see_every_write_of_a_unit(sql_storage: SqlStorage, heard: Heard) -> None:
    item = new_product()
    async with sql_storage.units_of_work.for_writing() as unit:
        unit.products.add(item)
        unit.products.update(next_version(item))
        unit.products.remove(next_version(item))
        await unit.commit()

    words = {"INSERT", "UPDATE", "DELETE"}
    assert {word for when, word in heard if when == "before"} >= words
    assert {word for when, word in heard if when == "after"} >= words


async def test_each_event_before_a_statement_has_one_after_it(
    sql_storage: SqlStorage, heard: Heard
) -> None:
    async with sql_storage.units_of_work.for_writing() as unit:
        unit.products.add(new_product())
        await unit.products.get(new_product().id)
        await unit.commit()

    before = sorted(word for when, word in heard if when == "before")
    after = sorted(word for when, word in heard if when == "after")
    assert before == after
    assert {"INSERT", "SELECT"} <= set(before)


async def test_a_listener_keeps_a_note_from_before_to_after(
    engine: AsyncEngine, sql_storage: SqlStorage
) -> None:
    notes = []

    @event.listens_for(engine.sync_engine, "before_cursor_execute")
    def before(c: Any, cursor: Any, statement: str, p: Any, context: Any, many: bool) -> None:
        context.note = statement

    @event.listens_for(engine.sync_engine, "after_cursor_execute")
    def after(c: Any, cursor: Any, statement: str, p: Any, context: Any, many: bool) -> None:
        notes.append(context.note == statement)

    await store(sql_storage.units_of_work, new_product(1), new_product(2))
    await stored(sql_storage.units_of_work, new_product().id)

    assert notes
    assert all(notes)


async def test_a_removed_listener_is_not_called(
    engine: AsyncEngine, sql_storage: SqlStorage
) -> None:
    heard = []

    def before(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        heard.append(statement)

    event.listen(engine.sync_engine, "before_cursor_execute", before)
    await all_stored(sql_storage.units_of_work)
    event.remove(engine.sync_engine, "before_cursor_execute", before)
    await all_stored(sql_storage.units_of_work)

    assert len(heard) == 1


async def test_listeners_see_an_error(engine: AsyncEngine, sql_storage: SqlStorage) -> None:
    await store(sql_storage.units_of_work, new_product())
    heard = []

    @event.listens_for(engine.sync_engine, "handle_error")
    def on_error(context: Any) -> None:
        heard.append(type(context.original_exception).__name__)

    async with sql_storage.units_of_work.for_writing() as unit:
        unit.products.add(new_product())
        with pytest.raises(AlreadyExists):
            await unit.products.get(new_product().id)

    assert heard in (["IntegrityError"], ["UniqueViolationError"])
