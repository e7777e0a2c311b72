from collections.abc import Callable
from dataclasses import FrozenInstanceError
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest

from domain.kernel.rules import RulesBroken
from tests.kernel.warehouse.domain import Product

CREATED = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
LATER = CREATED + timedelta(hours=1)
ITEM = Product.create(UUID(int=1), "lamp", "It shines.", CREATED)


def restored(name: str, description: str | None, version: int, updated_at: datetime) -> Product:
    return Product(
        id=UUID(int=1),
        version=version,
        created_at=CREATED,
        updated_at=updated_at,
        name=name,
        description=description,
        sku=None,
    )


def test_a_new_item_is_version_1_of_this_moment() -> None:
    assert restored("lamp", "It shines.", 1, CREATED) == ITEM


def test_a_replaced_item_is_the_next_version() -> None:
    replaced = ITEM.changed(LATER, name="chair", description=None)

    assert replaced == restored("chair", None, 2, LATER)


def test_a_change_returns_a_new_item_and_leaves_the_old_one() -> None:
    ITEM.changed(LATER, name="chair")

    assert ITEM.name == "lamp"


def test_a_field_that_is_left_out_of_a_change_stays() -> None:
    assert ITEM.changed(LATER, name="chair").description == "It shines."
    assert ITEM.changed(LATER, description="It shone.").name == "lamp"


def test_none_clears_the_description() -> None:
    assert ITEM.changed(LATER, description=None).description is None


def test_a_change_of_no_field_is_a_new_version_too() -> None:
    assert ITEM.changed(LATER) == ITEM.changed(LATER, name="lamp", description="It shines.")
    assert ITEM.changed(LATER).version == 2


def test_a_changed_name_is_trimmed() -> None:
    assert ITEM.changed(LATER, name=" chair ").name == "chair"


def test_versions_count_up() -> None:
    third = ITEM.changed(LATER, name="chair").changed(LATER, name="table")

    assert (third.version, third.created_at) == (3, CREATED)


def test_a_clock_that_was_set_back_makes_no_item_older() -> None:
    changed = ITEM.changed(LATER).changed(CREATED - timedelta(days=1))

    assert (changed.created_at, changed.updated_at) == (CREATED, LATER)


def test_a_change_must_follow_the_rules() -> None:
    with pytest.raises(RulesBroken):
        ITEM.changed(LATER, name="", description=None)
    with pytest.raises(RulesBroken):
        ITEM.changed(LATER, name="n" * 201)
    with pytest.raises(RulesBroken):
        ITEM.changed(LATER, description="\x00")


def test_all_broken_rules_are_named_at_once() -> None:
    with pytest.raises(RulesBroken) as raised:
        Product.create(UUID(int=1), " ", "\x00" * 2_001, CREATED)

    assert [(broken.field, broken.rule) for broken in raised.value.broken] == [
        ("name", "required"),
        ("description", "too_long"),
        ("description", "not_storable"),
    ]
    assert str(raised.value) == (
        "name: must not be empty or only white space; "
        "description: must have at most 2000 characters; "
        "description: must not contain NUL or lone surrogates"
    )


@pytest.mark.parametrize(
    "time", [CREATED.replace(tzinfo=None), CREATED.astimezone(timezone(timedelta(hours=1)))]
)
def test_a_time_that_is_not_in_utc_is_rejected(time: datetime) -> None:
    acts: tuple[Callable[[], Product], ...] = (
        lambda: Product.create(UUID(int=1), "lamp", None, time),
        lambda: ITEM.changed(time),
    )
    for act in acts:
        with pytest.raises(ValueError, match="UTC") as raised:
            act()
        assert not isinstance(raised.value, RulesBroken)


@pytest.mark.parametrize("field", ["id", "name", "description", "version", "updated_at"])
def test_an_item_is_frozen(field: str) -> None:
    with pytest.raises(FrozenInstanceError):
        setattr(ITEM, field, None)


def test_an_item_that_was_stored_before_a_rule_can_be_restored() -> None:
    assert restored("n" * 300, None, 1, CREATED).name == "n" * 300
