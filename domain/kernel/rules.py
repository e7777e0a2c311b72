"""How the domain says no."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BrokenRule:
    """One rule that one field does not keep.

    `rule` is a stable name for programs, `message` a sentence for people.
    """

    field: str
    rule: str
    message: str


class RulesBroken(ValueError):
    """Raised when a value may not exist in the domain; names every broken rule at once."""

    def __init__(self, *broken: BrokenRule) -> None:
        super().__init__("; ".join(f"{each.field}: {each.message}" for each in broken))
        self.broken = broken
