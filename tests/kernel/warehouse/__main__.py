"""The service of the warehouse: `python -m tests.kernel.warehouse`, as `python -m entrypoints`."""

import os
import signal
import sys


def _end(number: int, _frame: object) -> None:
    # Nothing is open yet. An exception could be raised within an import, and be wrapped there.
    os._exit(128 + number)


if __name__ == "__main__":
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end)
    from entrypoints.kernel.command_line import run_command
    from entrypoints.kernel.service_settings import ServiceSettings

    sys.exit(
        run_command(
            ServiceSettings,
            "tests.kernel.warehouse.app:create_app",
            program="tests.kernel.warehouse",
        )
    )
