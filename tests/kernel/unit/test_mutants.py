"""The list of mutants fits the code, and what its command reports is right."""

from dataclasses import replace

import pytest

from tests.kernel.mutants.__main__ import wrong
from tests.kernel.mutants.guards import Guard, StaleGuard, all_guards, check
from tests.kernel.mutants.run import Outcome, Result

GUARD = Guard(
    name="expected-version",
    file="application/kernel/versions.py",
    text="found.version not in expected",
    replacement="False",
    tests=("tests/kernel/unit/test_mutants.py::test_each_guard_is_in_the_code",),
)


def test_each_guard_is_in_the_code() -> None:
    guards = all_guards()

    for guard in guards:
        check(guard)
        assert "/kernel/" in guard.file
    assert len({each.name for each in guards}) == len(guards)


@pytest.mark.parametrize(
    "changes",
    [
        {"text": "this is not in the file"},
        {"text": "expected"},
        {"replacement": "False)"},
        {"tests": ("tests/kernel/unit/test_mutants.py::test_that_is_gone",)},
        {"tests": ("tests/kernel/unit/test_that_is_gone.py",)},
    ],
    ids=["missing", "several", "no Python", "no test", "no file of tests"],
)
def test_a_guard_that_does_not_fit_the_code_is_named(changes: dict[str, object]) -> None:
    check(GUARD)

    with pytest.raises(StaleGuard, match=r"^expected-version: "):
        check(replace(GUARD, **changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("outcome", "reason", "count", "complaints"),
    [
        (Outcome.KILLED, None, 1, 0),
        (Outcome.KILLED, "it cannot be seen", 1, 1),
        (Outcome.TIMED_OUT, None, 1, 0),
        (Outcome.SKIPPED, None, 1, 0),
        (Outcome.SURVIVED, None, 20, 1),
        (Outcome.SURVIVED, "it cannot be seen", 20, 0),
        (Outcome.SURVIVED, "it cannot be seen", 19, 1),
        (Outcome.BROKEN, None, 1, 1),
    ],
)
def test_a_survivor_needs_a_reason_and_few_may_survive(
    outcome: Outcome, reason: str | None, count: int, complaints: int
) -> None:
    results = {replace(GUARD, reason=reason): Result(outcome, 1.0)}

    assert len(wrong(results, count)) == complaints
