import pytest

from adapters.memory.kernel.unit_of_work import MemoryUnitsOfWork
from adapters.memory.unit_of_work import MemoryUnitOfWork
from application.example_items.service import ExampleItemService
from application.kernel.errors import NotFound, VersionMismatch
from domain.kernel.rules import RulesBroken
from tests.kernel.counting_ids import CountingIds
from tests.kernel.fixed_clock import FixedClock


@pytest.fixture
def service() -> ExampleItemService:
    return ExampleItemService(MemoryUnitsOfWork(MemoryUnitOfWork), FixedClock(), CountingIds())


async def test_a_created_item_is_stored(service: ExampleItemService) -> None:
    item = await service.create("lamp", "It shines.")

    assert await service.get(item.id) == item
    assert (await service.page(None, 10)).items == [item]


async def test_a_change_keeps_the_fields_that_it_leaves_out(service: ExampleItemService) -> None:
    item = await service.create("lamp", "It shines.")

    changed = await service.change(item.id, name="light")

    assert (changed.name, changed.description, changed.version) == ("light", "It shines.", 2)
    assert await service.get(item.id) == changed


async def test_a_change_is_meant_for_a_version(service: ExampleItemService) -> None:
    item = await service.create("lamp")

    with pytest.raises(VersionMismatch):
        await service.change(item.id, [2], name="desk")

    assert (await service.change(item.id, [1], name="desk")).version == 2


async def test_nothing_is_stored_that_breaks_a_rule(service: ExampleItemService) -> None:
    item = await service.create("lamp")

    with pytest.raises(RulesBroken):
        await service.change(item.id, name="")

    assert await service.get(item.id) == item


async def test_a_deleted_item_is_not_found(service: ExampleItemService) -> None:
    item = await service.create("lamp")

    await service.delete(item.id)

    with pytest.raises(NotFound):
        await service.get(item.id)
