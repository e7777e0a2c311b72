"""Entity tags and the conditions that name them (RFC 9110, sections 8.8.3 and 13.1)."""

import re

_VERSION = re.compile("[1-9][0-9]{0,17}")
_TAG = re.compile(r'[ \t,]*(W/)?"([\x21\x23-\x7e\x80-\xff]*)"[ \t]*(?=,|\Z)')
_REST = re.compile(r"[ \t,]*\Z")


def entity_tag(version: int) -> str:
    """Return the strong tag of an item's version."""
    return f'"{version}"'


def versions_that_match(if_match: str | None) -> frozenset[int] | None:
    """Return the versions that an `If-Match` field allows, None for every one.

    The comparison is strong: a weak tag never matches (RFC 9110, section 13.1.1).
    """
    if if_match is None or if_match.strip() == "*":
        return None
    return frozenset(
        int(tag) for weak, tag in _tags(if_match) if not weak and _VERSION.fullmatch(tag)
    )


def is_known(if_none_match: str | None, version: int) -> bool:
    """Tell whether an `If-None-Match` field names the version: the client has it already.

    The comparison is weak (RFC 9110, section 13.1.2).
    """
    if if_none_match is None:
        return False
    if if_none_match.strip() == "*":
        return True
    return any(tag == str(version) for _, tag in _tags(if_none_match))


def _tags(field: str) -> list[tuple[bool, str]]:
    """Return whether each tag of a list is weak, and its text; none at all if it is no list."""
    tags = []
    position = 0
    while tag := _TAG.match(field, position):
        tags.append((tag[1] is not None, tag[2]))
        position = tag.end()
    return tags if _REST.match(field, position) else []
