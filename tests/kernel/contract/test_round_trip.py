"""What is stored comes back equal in every field."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from tests.kernel.contract.products import CREATED, new_product, next_version, store, stored
from tests.kernel.warehouse.application import UnitsOfWork

LONGEST_DESCRIPTION = "\N{GRINNING FACE}" * 2_000


async def test_an_item_comes_back_as_it_was(units_of_work: UnitsOfWork) -> None:
    item = new_product(name="lamp", description="It shines.")
    await store(units_of_work, item)

    assert await stored(units_of_work, item.id) == item


async def test_nothing_comes_back_for_an_unknown_id(units_of_work: UnitsOfWork) -> None:
    assert await stored(units_of_work, new_product().id) is None


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "n" * 200,
        "\N{GRINNING FACE}" * 200,
        "Ünï\N{COMBINING DIAERESIS}cödé \N{ARABIC LETTER ALEF} 漢字",
        'it\'s "quoted" \\ 100% :name $1 ? --',
        "two\r\nlines\tand \x01",
    ],
)
async def test_any_text_comes_back(units_of_work: UnitsOfWork, text: str) -> None:
    item = new_product(name=text, description=text)
    await store(units_of_work, item)

    assert await stored(units_of_work, item.id) == item


@pytest.mark.parametrize("description", [None, "", " ", "d" * 2_000, LONGEST_DESCRIPTION])
async def test_a_description_comes_back(
    units_of_work: UnitsOfWork, description: str | None
) -> None:
    item = new_product(description=description)
    await store(units_of_work, item)

    found = await stored(units_of_work, item.id)

    assert found
    assert found.description == description


@pytest.mark.parametrize(
    "time",
    [
        CREATED,
        CREATED.replace(microsecond=0),
        CREATED.replace(microsecond=999_999),
        datetime(1970, 1, 1, tzinfo=UTC),
        datetime(1582, 10, 4, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, 999_998, tzinfo=UTC),
        CREATED.astimezone(timezone(timedelta(0), "a zone that equals UTC")),
    ],
)
async def test_times_come_back_to_the_microsecond_and_in_utc(
    units_of_work: UnitsOfWork, time: datetime
) -> None:
    item = replace(new_product(), created_at=time, updated_at=time)
    await store(units_of_work, item)

    found = await stored(units_of_work, item.id)

    assert found
    assert (found.created_at, found.updated_at) == (time, time)
    assert found.created_at.utcoffset() == found.updated_at.utcoffset() == timedelta(0)


async def test_a_change_comes_back_in_every_field(units_of_work: UnitsOfWork) -> None:
    item = new_product(description="It shines.")
    await store(units_of_work, item)
    changed = item.changed(
        CREATED + timedelta(days=1, microseconds=1), name="a better lamp", description=None
    )

    async with units_of_work.for_writing() as unit:
        unit.products.update(changed)
        await unit.commit()

    assert await stored(units_of_work, item.id) == changed


async def test_a_change_touches_no_other_item(units_of_work: UnitsOfWork) -> None:
    item, other = new_product(1), new_product(2)
    await store(units_of_work, item, other)

    async with units_of_work.for_writing() as unit:
        unit.products.update(next_version(item))
        await unit.commit()

    assert await stored(units_of_work, other.id) == other


async def test_a_removed_item_is_gone_and_no_other(units_of_work: UnitsOfWork) -> None:
    item, other = new_product(1), new_product(2)
    await store(units_of_work, item, other)

    async with units_of_work.for_writing() as unit:
        unit.products.remove(item)
        await unit.commit()

    assert await stored(units_of_work, item.id) is None
    assert await stored(units_of_work, other.id) == other


async def test_a_removed_item_can_be_added_again(units_of_work: UnitsOfWork) -> None:
    item = new_product()
    await store(units_of_work, item)
    async with units_of_work.for_writing() as unit:
        unit.products.remove(item)
        await unit.commit()

    await store(units_of_work, item)

    assert await stored(units_of_work, item.id) == item
