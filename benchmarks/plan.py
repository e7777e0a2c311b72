"""How much is measured."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field

from benchmarks.subjects import DATABASES, LITESTAR, NAMES, SERVICE, TUTORIAL, Subject, subjects_of

CONNECTIONS = (16, 64)
ROUNDS_TO_JUDGE = 5


@dataclass(frozen=True)
class Plan:
    rounds: int
    seconds: float
    """How long each subject is loaded for one measurement."""
    page_seconds: float
    row_counts: Sequence[int]
    items: int
    start_ups: int
    start_up_of: Sequence[str] = NAMES
    databases: Sequence[str] = DATABASES
    without: Sequence[str] = field(default=())
    python: str = sys.executable

    @property
    def is_complete(self) -> bool:
        """Whether its figures may stand in the documentation."""
        return (
            self.rounds >= ROUNDS_TO_JUDGE
            and self.row_counts == FULL.row_counts
            and self.databases == DATABASES
            and not self.without
        )

    def subjects(self) -> list[Subject]:
        return [
            subject
            for database in self.databases
            for subject in subjects_of(database, self.python)
            if subject.name not in self.without
        ]


FULL = Plan(
    rounds=5,
    seconds=0.4,
    page_seconds=0.15,
    row_counts=(100, 1_000, 10_000, 100_000, 1_000_000),
    items=1_000,
    start_ups=5,
)
QUICK = Plan(
    rounds=2,
    seconds=0.12,
    page_seconds=0.1,
    row_counts=(100, 100_000),
    items=200,
    start_ups=2,
    start_up_of=(SERVICE, TUTORIAL),
    without=(LITESTAR,),
)
