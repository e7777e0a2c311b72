"""What a client may send, right and wrong, as hypothesis strategies."""

import json
from typing import Any

from hypothesis import strategies as st

from tests.kernel.integration.service import PRODUCTS, UNKNOWN_ID
from tests.kernel.warehouse.domain import DESCRIPTION, NAME

LONE_SURROGATES = st.sampled_from(["\ud800", "lamp \udfff", "\udc00\ud800"])
STRANGE = st.sampled_from(
    [
        "",
        " ",
        "\t\n",
        "\u00a0lamp\u2003",
        "\x00",
        "la\x00mp",
        "\x1f\x7f\x85",
        "\u202elamp",
        "e\u0301",
        "\ufeff",
        "\U0001f4a1",
        "%_'\"\\;--",
    ]
)


def _about_as_long_as(limit: int) -> st.SearchStrategy[str]:
    letters = st.sampled_from(["x", "\u00e9", "\U0001f4a1"])
    return st.builds(lambda letter, more: letter * (limit + more), letters, st.integers(-1, 1))


def _texts(limit: int) -> st.SearchStrategy[str]:
    return st.one_of(
        st.text(min_size=1, max_size=12), STRANGE, LONE_SURROGATES, _about_as_long_as(limit)
    )


NAMES = st.one_of(st.sampled_from(["lamp", "desk"]), _texts(NAME.max_length))
DESCRIPTIONS = st.none() | _texts(DESCRIPTION.max_length)


def _as_json(content: Any, *, is_escaped: bool) -> bytes:
    try:
        return json.dumps(content, ensure_ascii=is_escaped).encode()
    except UnicodeEncodeError:  # a lone surrogate has no other form than its escape
        return json.dumps(content).encode()


_items = st.fixed_dictionaries({"name": NAMES}, optional={"description": DESCRIPTIONS})
_patches = st.fixed_dictionaries({}, optional={"name": NAMES, "description": DESCRIPTIONS})
_wrong: st.SearchStrategy[Any] = st.sampled_from(
    [{}, [], None, "lamp", {"name": None}, {"name": 1}, {"name": "lamp", "id": UNKNOWN_ID}]
)


def _bodies(right: st.SearchStrategy[Any]) -> st.SearchStrategy[bytes]:
    # Drawn in this order, because hypothesis makes a failing request smaller towards the first.
    contents = st.one_of(right, right, right, _wrong)
    encoded = st.builds(
        lambda content, is_escaped: _as_json(content, is_escaped=is_escaped),
        contents,
        st.booleans(),
    )
    return st.one_of(encoded, encoded, encoded, st.sampled_from([b"", b"{", b"\xff", b"NaN"]))


ITEM_BODIES = _bodies(_items)
PATCH_BODIES = _bodies(_patches)
VALID_BODIES = st.builds(
    lambda name: json.dumps({"name": name}).encode(), st.sampled_from(["one", "two", "three"])
)

UNKNOWN_IDS = st.sampled_from([UNKNOWN_ID, "0", "not-an-id", "%00", UNKNOWN_ID.upper()])
_pages = {
    "limit": st.integers(1, 4).map(str) | st.sampled_from(["0", "-1", "200", "201", "x", ""]),
    "cursor": st.sampled_from(["", "x", "%00", "A" * 28]),
}
PAGES = st.fixed_dictionaries({}, optional=_pages).map(
    lambda query: PRODUCTS + "?" + "&".join(f"{name}={value}" for name, value in query.items())
)

# `{version}` is the item's own.
CONDITIONS = st.sampled_from(
    [
        None,
        '"{version}"',
        "*",
        '"0"',
        '"9"',
        'W/"{version}"',
        '"x", "{version}"',
        "{version}",
        '"',
        '"9223372036854775808"',
    ]
)
KEYS = st.sampled_from([None, None, None, "first", '"first"', "second", "two words", '"'])
