"""Entity tags and the conditions that name them (RFC 9110, sections 8.8.3 and 13.1)."""

import re
from collections.abc import Sequence

from starlette.types import Scope

_VERSION = re.compile("[1-9][0-9]{0,17}")
_TAG = re.compile(r'[ \t,]*(?:W/)?"([\x21\x23-\x7e\x80-\xff]*)"[ \t]*(?=,|\Z)')
_REST = re.compile(r"[ \t,]*\Z")


def header_lines(scope: Scope, name: bytes) -> list[str]:
    """Return the lines of the request's header with this name, in lower case."""
    return [value.decode("latin-1") for key, value in scope["headers"] if key == name]


def entity_tag(version: int) -> str:
    """Return the strong entity tag of a version."""
    return f'"{version}"'


def versions_that_match(if_match: Sequence[str] | None) -> frozenset[int] | None:
    """Return the versions that an `If-Match` field allows, None for any version.

    Weak tags match too, which RFC 9110, section 13.1.1, does not allow: a proxy that compresses
    responses (such as nginx) makes every tag weak, and clients behind it could not change anything.
    This is safe, because a tag names the version of the resource, which differs after every change,
    and not the bytes of one of its representations.
    """
    if if_match is None or _is_any(if_match):
        return None
    return frozenset(int(tag) for tag in _tags(if_match) if _VERSION.fullmatch(tag))


def is_known(if_none_match: Sequence[str] | None, version: int) -> bool:
    """Return whether an `If-None-Match` field names the version: then the client has it already.

    The comparison is weak (RFC 9110, section 13.1.2).
    """
    if if_none_match is None:
        return False
    if _is_any(if_none_match):
        return True
    return str(version) in _tags(if_none_match)


def _is_any(lines: Sequence[str]) -> bool:
    return ", ".join(lines).strip() == "*"


def _tags(lines: Sequence[str]) -> list[str]:
    """Return the text of each tag in a list, weak tags included; an empty list if the field is
    malformed. Several lines are one list (RFC 9110, section 5.3)."""
    field = ", ".join(lines)
    tags = []
    position = 0
    while tag := _TAG.match(field, position):
        tags.append(tag[1])
        position = tag.end()
    return tags if _REST.match(field, position) else []
