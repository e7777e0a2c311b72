from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass
class FixedClock:
    """A `Clock` that stands still until it is set."""

    time: datetime = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time
