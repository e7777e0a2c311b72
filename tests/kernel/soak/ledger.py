"""Compare the responses that clients got with what is stored."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Self

LOST = "lost"
DUPLICATED = "duplicated"
OWNERLESS = "no client waits for it"
"""The start of the names of items that no ledger has, because their clients hung up."""
AFTER_ALL = "~"
"""Comes after every id."""


class Item(NamedTuple):
    id: str
    name: str
    description: str | None
    version: int

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        return cls(*(document[field] for field in cls._fields))


class Ledger:
    """What one client knows to be stored. It alone changes its items, and makes one change after
    the other, so that it knows exactly."""

    def __init__(self) -> None:
        self.items: dict[str, Item] = {}
        self.gone: set[str] = set()
        self.in_doubt: set[str] = set()
        """Ids, and names of new items: a response that should not have been left them open. It is
        counted for itself."""

    def keep(self, item: Item) -> None:
        self.items[item.id] = item

    def remove(self, item: Item) -> None:
        del self.items[item.id]
        self.gone.add(item.id)

    def doubt(self, id_or_name: str) -> None:
        self.items.pop(id_or_name, None)
        self.in_doubt.add(id_or_name)

    def misread(self, page: Sequence[Item], after: str, is_last: bool) -> str:
        """Return what is wrong on a page of the list, which follows an id; empty if nothing is."""
        end = AFTER_ALL if is_last else page[-1].id
        expected = {item for item in self.items.values() if after < item.id <= end}
        shown = {item for item in page if item.id in self.items or item.id in self.gone}
        return f"expected {expected - shown}, got {shown - expected}" if expected != shown else ""


def differences(ledgers: Sequence[Ledger], stored: Sequence[Item]) -> Iterator[tuple[str, str]]:
    """Yield each change that was acknowledged and is not stored, and each that is stored and was
    not acknowledged: which of the two it is, and where it shows."""
    by_id = {item.id: item for item in stored}
    for ledger in ledgers:
        for item in ledger.items.values():
            if why := _difference(item, by_id.get(item.id)):
                yield why, f"acknowledged {item}, stored {by_id.get(item.id)}"
        for each in ledger.gone & by_id.keys():
            yield LOST, f"acknowledged the end of {by_id[each]}"
    yield from _too_many(ledgers, stored)


def _difference(acknowledged: Item, stored: Item | None) -> str | None:
    if stored == acknowledged:
        return None
    if stored and stored.version > acknowledged.version:
        return DUPLICATED
    return LOST


def _too_many(ledgers: Sequence[Ledger], stored: Sequence[Item]) -> Iterator[tuple[str, str]]:
    names = Counter(item.name for item in stored)
    for name, times in names.items():
        if times > 1:
            yield DUPLICATED, f"{name!r} is stored {times} times"
    known: set[str] = set()
    for ledger in ledgers:
        known |= ledger.items.keys() | ledger.gone | ledger.in_doubt
    for item in stored:
        expected = item.id in known or item.name in known or item.name.startswith(OWNERLESS)
        if not expected and names[item.name] == 1:
            yield DUPLICATED, f"{item} is in no ledger"
