from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Port: what time it is."""

    def now(self) -> datetime:
        """Return the present moment, UTC-aware, to the microsecond."""
        ...
