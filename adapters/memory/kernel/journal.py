"""Collect the changes of one unit of work, in the order in which they were made."""

from collections.abc import Callable, Mapping, MutableMapping
from typing import Any

Tables = dict[str, dict[Any, Any]]
"""The committed rows of each table, by key. Rows are immutable values."""


class State:
    """The committed rows with the changes of one unit of work applied."""

    def __init__(self, committed: Tables) -> None:
        self._committed = committed
        self.changes: dict[str, dict[Any, Any]] = {}
        """The changed rows of each table, by key; None marks a removed row."""

    def find(self, table: str, key: Any) -> Any | None:
        changes = self.changes.get(table)
        if changes is not None and key in changes:
            return changes[key]
        return self._committed.get(table, {}).get(key)

    def rows(self, table: str) -> Mapping[Any, Any]:
        committed = self._committed.get(table, {})
        if not (changes := self.changes.get(table)):
            return committed
        return {key: row for key, row in {**committed, **changes}.items() if row is not None}

    def put(self, table: str, key: Any, row: Any | None) -> None:
        self.changes.setdefault(table, {})[key] = row


Step = Callable[[State], None]
"""Makes one change, or raises the error that says why it cannot be made."""


class Journal:
    """The steps of a unit of work. All repositories of the unit share it, so that the first step
    that cannot be made raises, whichever repository added it."""

    def __init__(self, committed: Tables) -> None:
        self._committed = committed
        self._steps: list[Step] = []

    def note(self, step: Step) -> None:
        self._steps.append(step)

    def state(self) -> State:
        """Return the current rows with all steps applied. Raises the error of the first step that
        cannot be made."""
        state = State(self._committed)
        for step in self._steps:
            step(state)
        return state

    def commit(self, state: State) -> None:
        """Make the changes visible to all."""
        for table, changes in state.changes.items():
            rows: MutableMapping[Any, Any] = self._committed.setdefault(table, {})
            for key, row in changes.items():
                if row is None:
                    rows.pop(key, None)
                else:
                    rows[key] = row
        self.forget()

    def forget(self) -> None:
        """Drop the steps that are not committed."""
        self._steps.clear()
