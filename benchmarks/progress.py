"""Says on standard error what the run is doing."""

import sys
from time import monotonic

STARTED = monotonic()


def say(what: str) -> None:
    print(f"{monotonic() - STARTED:5.0f} s  {what}", file=sys.stderr, flush=True)
