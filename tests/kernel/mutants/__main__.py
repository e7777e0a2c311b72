"""Remove the kernel's guards one by one, and see a test fail for each.

Works on a copy of the project in a temporary directory. First runs all tests with every guard in
place, which must pass. Then, for each guard of guards.toml, replaces its text and runs its tests.
Exits with 1 if a guard's removal is not noticed and the list has no reason for that, or if more
than 5 percent are not noticed.
"""

import argparse
import sys
import time
from collections.abc import Mapping, Sequence

from tests.kernel.mutants.guards import Guard, StaleGuard, all_guards, check
from tests.kernel.mutants.run import Copy, Outcome, Result, copied_project

SURVIVORS_PER_HUNDRED = 5
INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    guards = all_guards()
    options = _parse(arguments, [each.name for each in guards])
    chosen = [each for each in guards if not options.only or each.name in options.only]
    if options.list:
        for guard in chosen:
            print(f"{guard.name}  {guard.file}")
        return 0
    began = time.monotonic()
    try:
        for guard in chosen:
            check(guard)
        with copied_project() as copy:
            if not _passes(copy, chosen):
                return 1
            results = {guard: _shown(guard, _remove(copy, guard)) for guard in chosen}
    except StaleGuard as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    print(f"\n{_summary(results)} in {time.monotonic() - began:.0f} s")
    complaints = wrong(results, len(guards))
    for each in complaints:
        print(each)
    return 1 if complaints else 0


def wrong(results: Mapping[Guard, Result], count: int) -> list[str]:
    """Return what is wrong with the results, a sentence each. `count` is that of all guards."""
    survivors = [guard for guard, it in results.items() if it.outcome is Outcome.SURVIVED]
    found = [
        f"{guard.name}: no test fails without it; write one, or give the reason in the list"
        for guard in survivors
        if not guard.reason
    ]
    found += [
        f"{guard.name}: a test fails without it, so the list needs no reason"
        for guard, it in results.items()
        if it.outcome is Outcome.KILLED and guard.reason
    ]
    found += [
        f"{guard.name}: its tests cannot be collected without it:\n{it.output}"
        for guard, it in results.items()
        if it.outcome is Outcome.BROKEN
    ]
    if len(survivors) * 100 > SURVIVORS_PER_HUNDRED * count:
        found.append(f"{len(survivors)} survive, more than {SURVIVORS_PER_HUNDRED} % of {count}")
    return found


def _passes(copy: Copy, guards: Sequence[Guard]) -> bool:
    """Return whether the tests pass with every guard in place."""
    tests = sorted({test for guard in guards for test in guard.tests})
    result = copy.run(tests, seconds=3600)
    if result.outcome in (Outcome.SURVIVED, Outcome.SKIPPED):
        print(f"{len(tests)} tests pass with every guard in place ({result.seconds:.0f} s)\n")
        return True
    print(f"{result.output}\nThe tests must pass before a guard is removed.", file=sys.stderr)
    return False


def _remove(copy: Copy, guard: Guard) -> Result:
    with copy.without(guard):
        return copy.run(guard.tests)


def _shown(guard: Guard, result: Result) -> Result:
    why = result.killer or (guard.reason or "")
    print(f"{result.outcome:<9} {result.seconds:5.1f} s  {guard.name}  {why}".rstrip(), flush=True)
    return result


def _summary(results: Mapping[Guard, Result]) -> str:
    outcomes = [each.outcome for each in results.values()]
    counts = [f"{outcomes.count(it)} {it}" for it in Outcome if it in outcomes]
    return f"{len(outcomes)} guards: {', '.join(counts)}"


def _parse(arguments: Sequence[str] | None, names: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.kernel.mutants", description=__doc__)
    parser.add_argument(
        "--only",
        metavar="NAME",
        action="append",
        choices=names,
        help="remove this guard only (may be given several times)",
    )
    parser.add_argument("--list", action="store_true", help="list the guards")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
