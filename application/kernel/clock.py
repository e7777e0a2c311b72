from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Port: the current time."""

    def now(self) -> datetime:
        """Return the current time, UTC-aware, with microseconds."""
        ...
