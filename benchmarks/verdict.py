"""The bounds held against the results, one line each."""

from dataclasses import dataclass

from benchmarks.bounds import Bound
from benchmarks.results import Results


@dataclass(frozen=True)
class Verdict:
    database: str
    bound: Bound
    is_met: bool
    measured: str

    @property
    def word(self) -> str:
        return "met" if self.is_met else "MISSED"

    @property
    def wanted(self) -> str:
        unit = "" if self.bound.unit == "times" else f" {self.bound.unit}"
        return f"{self.bound.side} {self.bound.value:g}{unit}"

    def __str__(self) -> str:
        return f"{self.word:7}{self.database}, {self.bound.name}: {self.measured}, {self.wanted}"


def judge(database: str, bound: Bound, results: Results) -> Verdict:
    found = bound.measured(results)
    digits = 2 if bound.unit == "times" else 1
    measured = (
        f"{found.median:.{digits}f} ({found.low:.{digits}f} to {found.high:.{digits}f})"
        if found
        else "not measured"
    )
    return Verdict(database, bound, bound.is_met(results), measured)
