from dataclasses import dataclass
from typing import Literal

POOL_SIZE = 5
QUIET_SECONDS = 5.0
"""How long before its end the load is left alone."""

DatabaseName = Literal["postgresql", "sqlite"]


@dataclass(frozen=True)
class Plan:
    """What to do, so that it can be done again: a seed brings the same faults in the same order."""

    database: DatabaseName = "postgresql"
    minutes: float = 10
    every: float = 15
    """Seconds from the beginning of one fault to that of the next."""
    clients: int = 16
    seed: int = 0

    @property
    def seconds(self) -> float:
        return self.minutes * 60

    def __str__(self) -> str:
        return (
            f"--database {self.database} --minutes {self.minutes:g} --every {self.every:g} "
            f"--clients {self.clients} --seed {self.seed}"
        )
