from collections.abc import Sequence
from datetime import datetime
from heapq import nsmallest

from adapters.memory.kernel.journal import Journal, State
from application.kernel.errors import KeyInProgress
from application.kernel.idempotency_records import IdempotencyRecord

_TABLE = "idempotency_records"


class MemoryIdempotencyRecords:
    """Implements `IdempotencyRecords` on the committed records and the unit's own changes."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    async def find(self, key: str) -> IdempotencyRecord | None:
        found: IdempotencyRecord | None = self._journal.state().find(_TABLE, key)
        return found

    def add(self, record: IdempotencyRecord) -> None:
        def step(state: State) -> None:
            if state.find(_TABLE, record.key) is not None:
                raise KeyInProgress(record.key)
            state.put(_TABLE, record.key, record)

        self._journal.note(step)

    def remove(self, record: IdempotencyRecord) -> None:
        def step(state: State) -> None:
            if state.find(_TABLE, record.key) == record:
                state.put(_TABLE, record.key, None)

        self._journal.note(step)

    async def expiries(self, until: datetime, limit: int) -> Sequence[datetime]:
        rows = self._journal.state().rows(_TABLE).values()
        return nsmallest(limit, (row.expires_at for row in rows if row.expires_at <= until))

    def remove_expired(self, until: datetime) -> None:
        def step(state: State) -> None:
            for key, row in state.rows(_TABLE).items():
                if row.expires_at <= until:
                    state.put(_TABLE, key, None)

        self._journal.note(step)
