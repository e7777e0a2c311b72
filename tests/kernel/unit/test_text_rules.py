from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.kernel.rules import RulesBroken
from tests.kernel.warehouse.domain import Product

NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
SPACES = " \t\r\n\v\f\x1c\x1d\x1e\x1f\x85\xa0\u2000\u2028\u2029\u3000"


def named(name: str) -> Product:
    return Product.create(UUID(int=1), name, None, NOW)


def broken_by(name: str) -> list[tuple[str, str]]:
    with pytest.raises(RulesBroken) as raised:
        named(name)
    return [(broken.field, broken.rule) for broken in raised.value.broken]


@pytest.mark.parametrize("name", ["lamp", " lamp", "lamp ", f"{SPACES}lamp{SPACES}"])
def test_a_name_is_trimmed(name: str) -> None:
    assert named(name).name == "lamp"


def test_spaces_within_a_name_stay() -> None:
    assert named(" a \t lamp ").name == "a \t lamp"


@pytest.mark.parametrize("name", ["", " ", SPACES, " " * 1_000])
def test_a_name_is_not_empty_or_only_white_space(name: str) -> None:
    assert broken_by(name) == [("name", "required")]


@pytest.mark.parametrize("name", ["n", "n" * 200, "\N{GRINNING FACE}" * 200])
def test_a_name_has_up_to_200_characters(name: str) -> None:
    assert named(name).name == name


def test_a_name_does_not_have_201_characters() -> None:
    assert broken_by("n" * 201) == [("name", "too_long")]


def test_spaces_around_a_name_do_not_count() -> None:
    assert named(f" {'n' * 200} ").name == "n" * 200


@pytest.mark.parametrize("name", ["\x00", "a\x00b", "\ud800", "a\udfffb"])
def test_a_name_holds_nothing_that_cannot_be_stored(name: str) -> None:
    assert broken_by(name) == [("name", "not_storable")]


def test_a_name_breaks_several_rules_at_once() -> None:
    assert broken_by("\x00" * 201) == [("name", "too_long"), ("name", "not_storable")]


@given(st.text(alphabet=st.characters(), max_size=250))
def test_a_name_is_rejected_or_can_be_stored(name: str) -> None:
    try:
        kept = named(name).name
    except RulesBroken:
        return
    assert kept == kept.strip() == name.strip()
    assert 1 <= len(kept) <= 200
    assert "\x00" not in kept
    kept.encode()
