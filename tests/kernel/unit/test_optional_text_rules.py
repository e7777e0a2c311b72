from datetime import UTC, datetime
from uuid import UUID

import pytest

from domain.kernel.rules import RulesBroken
from tests.kernel.warehouse.domain import Product

NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


def described(description: str | None) -> Product:
    return Product.create(UUID(int=1), "lamp", description, NOW)


def broken_by(description: str) -> list[tuple[str, str]]:
    with pytest.raises(RulesBroken) as raised:
        described(description)
    return [(broken.field, broken.rule) for broken in raised.value.broken]


def test_a_description_may_be_left_out() -> None:
    assert described(None).description is None


@pytest.mark.parametrize("description", ["", "  It shines.\n", "d" * 2_000, "\U0001f600" * 2_000])
def test_a_description_is_kept_as_it_is(description: str) -> None:
    assert described(description).description == description


def test_a_description_does_not_have_2001_characters() -> None:
    assert broken_by("d" * 2_001) == [("description", "too_long")]


@pytest.mark.parametrize("description", ["\x00", "a\x00b", "\ud800", "a\udfffb"])
def test_a_description_holds_nothing_that_cannot_be_stored(description: str) -> None:
    assert broken_by(description) == [("description", "not_storable")]


def test_a_description_breaks_several_rules_at_once() -> None:
    rules = [("description", "too_long"), ("description", "not_storable")]

    assert broken_by("\ud800" * 2_001) == rules
