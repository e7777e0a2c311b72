from collections.abc import Sequence

import pytest

from benchmarks.bounds import LEAST, MOST, Bound, bounds
from benchmarks.plan import FULL
from benchmarks.results import CPU, MEMORY, Quantity, Results, Term
from benchmarks.subjects import DATABASES, LIMIT, POSTGRESQL, SERVICE, TUTORIAL
from benchmarks.verdict import judge

QUANTITY = Quantity(CPU, POSTGRESQL, "GET", 16)


def results(quantity: Quantity = QUANTITY, **values: Sequence[float]) -> Results:
    found = Results()
    for subject, its_values in values.items():
        for value in its_values:
            found.record(quantity, subject, value)
    return found


def bound(side: str, value: float, quantity: Quantity = QUANTITY, unit: str = "times") -> Bound:
    return Bound("a bound", Term(quantity, SERVICE), Term(quantity, LIMIT), side, value, unit)


def test_judges_the_median_of_the_ratios_of_each_round() -> None:
    # The machine was ten times slower in the last round, for both alike.
    found = results(service=[3.0, 2.0, 20.0], limit=[2.0, 2.0, 10.0])
    spread = bound(MOST, 1.5).measured(found)
    assert spread
    assert (spread.low, spread.median, spread.high) == (1.0, 1.5, 2.0)


@pytest.mark.parametrize(
    ("side", "value", "is_met"),
    [(MOST, 2.0, True), (MOST, 1.9, False), (LEAST, 2.0, True), (LEAST, 2.1, False)],
)
def test_a_bound_is_met_on_its_side(side: str, value: float, is_met: bool) -> None:
    assert bound(side, value).is_met(results(service=[4.0], limit=[2.0])) is is_met


def test_memory_is_judged_by_the_difference() -> None:
    memory = Quantity(MEMORY, POSTGRESQL)
    found = results(memory, service=[100.0], limit=[80.0])
    assert bound(MOST, 25, memory, "MB").is_met(found)
    assert not bound(MOST, 19, memory, "MB").is_met(found)


def test_what_was_not_measured_is_missed() -> None:
    verdict = judge(POSTGRESQL, bound(MOST, 2.0), results(limit=[2.0]))
    assert not verdict.is_met
    assert str(verdict) == "MISSED PostgreSQL, a bound: not measured, at most 2"


def test_every_bound_is_about_the_service() -> None:
    everything = [one for name in DATABASES for one in bounds(name, FULL.row_counts)]
    assert all(SERVICE in {one.left.subject, one.right.subject} for one in everything)
    assert {one.right.subject for one in everything} == {SERVICE, LIMIT, TUTORIAL}
