from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from domain.example_item import ExampleItem
from domain.kernel.rules import RulesBroken

NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
ITEM = ExampleItem.create(UUID(int=1), "lamp", "It shines.", NOW)


def test_white_space_around_a_name_is_removed() -> None:
    assert ExampleItem.create(UUID(int=1), " lamp\n", None, NOW).name == "lamp"


def test_none_clears_the_description() -> None:
    changed = ITEM.changed(LATER, description=None)

    assert (changed.name, changed.description, changed.version) == ("lamp", None, 2)


def test_all_broken_rules_are_named_at_once() -> None:
    with pytest.raises(RulesBroken) as error:
        ExampleItem.create(UUID(int=1), " ", "\x00" * 2_001, NOW)

    assert [(each.field, each.rule) for each in error.value.broken] == [
        ("name", "required"),
        ("description", "too_long"),
        ("description", "not_storable"),
    ]


@pytest.mark.parametrize("name", ["n", "n" * 200])
def test_a_name_has_1_to_200_characters(name: str) -> None:
    assert ITEM.changed(LATER, name=name).name == name


@pytest.mark.parametrize("name", ["", "n" * 201])
def test_a_longer_or_empty_name_is_rejected(name: str) -> None:
    with pytest.raises(RulesBroken):
        ITEM.changed(LATER, name=name)
