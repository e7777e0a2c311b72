from collections.abc import Awaitable, Callable, Collection
from datetime import timedelta
from uuid import UUID

import pytest

from application.kernel.errors import NotFound, VersionMismatch
from domain.kernel.rules import RulesBroken
from tests.kernel.fixed_clock import FixedClock
from tests.kernel.warehouse.application import ProductService
from tests.kernel.warehouse.domain import Product

Change = Callable[[ProductService, UUID, Collection[int] | None], Awaitable[object]]


async def replace(
    service: ProductService, item_id: UUID, versions: Collection[int] | None
) -> Product:
    return await service.change(item_id, versions, name="chair", description=None)


async def change(
    service: ProductService, item_id: UUID, versions: Collection[int] | None
) -> Product:
    return await service.change(item_id, versions, name="chair")


async def delete(service: ProductService, item_id: UUID, versions: Collection[int] | None) -> None:
    await service.delete(item_id, versions)


every_change = pytest.mark.parametrize("act", [replace, change, delete])


async def test_replaces_both_fields(service: ProductService, clock: FixedClock) -> None:
    created = await service.create("lamp", "It shines.")
    clock.time += timedelta(hours=1)

    replaced = await service.change(created.id, name="chair", description=None)

    assert replaced == created.changed(clock.now(), name="chair", description=None)
    assert await service.get(created.id) == replaced


async def test_changes_the_given_fields(service: ProductService, clock: FixedClock) -> None:
    created = await service.create("lamp", "It shines.")
    clock.time += timedelta(hours=1)

    renamed = await service.change(created.id, name="light")
    assert (renamed.name, renamed.description, renamed.version) == ("light", "It shines.", 2)
    assert renamed.updated_at == clock.now()

    cleared = await service.change(created.id, description=None)
    assert (cleared.name, cleared.description, cleared.version) == ("light", None, 3)
    assert await service.get(created.id) == cleared


async def test_deletes_an_item(service: ProductService) -> None:
    created = await service.create("lamp", None)

    await service.delete(created.id)

    with pytest.raises(NotFound):
        await service.get(created.id)


async def test_does_not_delete_twice(service: ProductService) -> None:
    created = await service.create("lamp", None)
    await service.delete(created.id)

    with pytest.raises(NotFound):
        await service.delete(created.id)


@every_change
async def test_does_not_change_an_unknown_item(service: ProductService, act: Change) -> None:
    with pytest.raises(NotFound):
        await act(service, UUID(int=1), None)


@every_change
@pytest.mark.parametrize("versions", [None, [1], [3, 1], {1, 2}])
async def test_changes_the_version_it_is_meant_for(
    service: ProductService, act: Change, versions: Collection[int] | None
) -> None:
    created = await service.create("lamp", None)

    await act(service, created.id, versions)

    assert created not in (await service.page(None, 10)).items


@every_change
@pytest.mark.parametrize("versions", [[], [2], [0, 2]])
async def test_changes_no_other_version(
    service: ProductService, act: Change, versions: Collection[int]
) -> None:
    created = await service.create("lamp", None)

    with pytest.raises(VersionMismatch) as raised:
        await act(service, created.id, versions)

    assert raised.value.id == created.id
    assert await service.get(created.id) == created


async def test_stores_no_change_that_breaks_a_rule(service: ProductService) -> None:
    created = await service.create("lamp", None)

    with pytest.raises(RulesBroken):
        await service.change(created.id, name="")
    with pytest.raises(RulesBroken):
        await service.change(created.id, description="\x00")

    assert await service.get(created.id) == created
