"""Load and random faults for a chosen time, and then an account.

Starts the service and its database on this machine, lets clients create, read, change and delete
items, and meanwhile kills, stops, freezes, cuts and blocks what can be, one thing after the other.
Each client sends a request again, with its Idempotency-Key, until it has a response. In the end
everything that was acknowledged must be there once, and nothing may be left over. Exits with 1 if
anything is wrong. Ctrl-C ends it before its time, without an account.
"""

import argparse
import random
import sys
from collections.abc import Sequence
from typing import get_args

from tests.kernel.soak.plan import DatabaseName, Plan
from tests.kernel.soak.run import run

INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    plan = parse(arguments)
    print(f"python -m tests.kernel.soak {plan}", flush=True)
    try:
        account = run(plan)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    print(f"\n{account.report()}")
    return 1 if account.wrong() else 0


def parse(arguments: Sequence[str] | None) -> Plan:
    parser = argparse.ArgumentParser(
        prog="python -m tests.kernel.soak",
        description=__doc__,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument(
        "--minutes", type=_positive, default=Plan.minutes, help="how long the load lasts"
    )
    parser.add_argument(
        "--every",
        type=_positive,
        default=Plan.every,
        help="seconds from the beginning of a fault to that of the next",
    )
    parser.add_argument(
        "--database", choices=get_args(DatabaseName), default=Plan.database, help="what to run on"
    )
    parser.add_argument(
        "--clients", type=int, default=Plan.clients, help="how many connections send requests"
    )
    parser.add_argument(
        "--seed",
        type=int,
        default=argparse.SUPPRESS,
        help="brings the same faults, in the same order, as it brought before (default: any)",
    )
    return Plan(**{"seed": random.randrange(1_000_000), **vars(parser.parse_args(arguments))})


def _positive(text: str) -> float:
    number = float(text)
    if number <= 0:
        raise argparse.ArgumentTypeError("must be more than 0")
    return number


if __name__ == "__main__":
    sys.exit(main())
