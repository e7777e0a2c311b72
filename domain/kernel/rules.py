"""Rules for the values of fields, and the error that lists every rule that a change breaks."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class BrokenRule:
    """A rule that a field breaks.

    `rule` is a stable name for programs, `message` a sentence for people.
    """

    field: str
    rule: str
    message: str


class RulesBroken(ValueError):
    """A value breaks rules of the domain. `broken` lists all of them."""

    def __init__(self, *broken: BrokenRule) -> None:
        super().__init__("; ".join(f"{each.field}: {each.message}" for each in broken))
        self.broken = broken


class Rule(Protocol):
    """A rule for the value of a field. It does not apply to None, which the field's type allows or
    not."""

    def normalized(self, value: Any) -> Any:
        """Return the value in the form in which it is checked and stored."""
        ...

    def broken_by(self, field: str, value: Any) -> Iterator[BrokenRule]:
        """Yield each rule that the normalized value breaks."""
        ...


@dataclass(frozen=True, slots=True)
class Text:
    """A text of `min_length` to `max_length` characters (Unicode code points).

    With `strip`, white space at both ends is removed before the length is checked.
    """

    min_length: int
    max_length: int
    strip: bool = False

    def normalized(self, value: str) -> str:
        return value.strip() if self.strip else value

    def broken_by(self, field: str, value: str) -> Iterator[BrokenRule]:
        if not value and self.min_length:
            message = "must not be empty or only white space" if self.strip else "must not be empty"
            yield BrokenRule(field, "required", message)
        elif len(value) < self.min_length:
            yield BrokenRule(field, "too_short", f"must have at least {self.min_length} characters")
        if len(value) > self.max_length:
            yield BrokenRule(field, "too_long", f"must have at most {self.max_length} characters")
        if not _is_storable(value):
            yield BrokenRule(field, "not_storable", "must not contain NUL or lone surrogates")


def _is_storable(text: str) -> bool:
    """Return whether every database can store the text: a string of PostgreSQL cannot contain NUL,
    and lone surrogates have no UTF-8 form."""
    if "\x00" in text:
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
