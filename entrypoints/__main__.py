"""`python -m entrypoints`: the kernel's command line, for this app and its settings."""

import os
import signal
import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status."""
    from entrypoints.kernel.command_line import run_command  # noqa: PLC0415 -- see below
    from entrypoints.settings import AppSettings  # noqa: PLC0415

    return run_command(AppSettings, "entrypoints.http.app:create_app", arguments)


def _end(number: int, _frame: object) -> None:
    # Nothing is open yet. An exception could be raised within an import, and be wrapped there.
    os._exit(128 + number)


if __name__ == "__main__":
    # Set before the imports, which take a while: the first process of a container has no default
    # actions for signals, so that a signal would be lost; and Ctrl-C must not print a traceback.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end)
    sys.exit(main())
