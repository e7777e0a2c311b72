"""Measure the service and its baselines, and say which bounds were missed.

A complete run writes docs/performance.md and docs/performance-tables.md; any other prints its
figures.
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from benchmarks.bounds import bounds
from benchmarks.plan import FULL, QUICK, Plan
from benchmarks.report import sections, write_report
from benchmarks.run import run
from benchmarks.subjects import DATABASES, SERVICE
from benchmarks.verdict import judge
from tests.kernel.processes.environment import ROOT


def main() -> int:
    arguments = parse()
    plan = plan_of(arguments)
    finished = run(plan)
    verdicts = [
        judge(database, bound, finished.results)
        for database in plan.databases
        for bound in bounds(database, plan.row_counts)
    ]
    if plan.is_complete and not finished.why_it_stopped:
        write_report(ROOT / "docs", plan, finished, verdicts)
        print("The figures are in docs/performance.md and docs/performance-tables.md.\n")
    else:
        print("\n\n".join(sections(plan, finished)), end="\n\n")
    if finished.why_it_stopped:
        print(f"Stopped before the end: {finished.why_it_stopped}")
        return 1
    for verdict in verdicts:
        print(verdict)
    missed = sum(not verdict.is_met for verdict in verdicts)
    print(f"{missed} of {len(verdicts)} bounds missed.")
    return 1 if missed else 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="about a minute: a hint, no verdict")
    parser.add_argument("--rounds", type=int, help=f"{FULL.rounds}, or {QUICK.rounds} if quick")
    only = [database.lower() for database in DATABASES]
    parser.add_argument("--only", choices=only, help="one database instead of both")
    parser.add_argument(
        "--baselines-only", action="store_true", help="leave the service out: every bound is missed"
    )
    parser.add_argument(
        "--python",
        # Processes run in a directory of their own.
        type=lambda path: str(Path(path).absolute()),
        default=sys.executable,
        help="what runs everybody but litestar: a Python that has the service's packages and no "
        "others, because some libraries import whatever they find",
    )
    return parser.parse_args()


def plan_of(arguments: argparse.Namespace) -> Plan:
    plan = replace(QUICK if arguments.quick else FULL, python=arguments.python)
    if arguments.rounds:
        plan = replace(plan, rounds=arguments.rounds)
    if arguments.only:
        plan = replace(plan, databases=[one for one in DATABASES if one.lower() == arguments.only])
    if arguments.baselines_only:
        plan = replace(plan, without=[*plan.without, SERVICE])
    return plan


if __name__ == "__main__":
    sys.exit(main())
