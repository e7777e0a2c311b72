"""`python -m entrypoints`: see `entrypoints.kernel.command_line`."""

import signal
import sys


def _end(number: int, _frame: object) -> None:
    sys.exit(128 + number)


if __name__ == "__main__":
    # Before the imports, which take a while: the first process of a container has no default action
    # for a signal, so that one without a handler would be lost; and Ctrl-C needs no traceback.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end)

    from entrypoints.kernel.command_line import main

    sys.exit(main())
