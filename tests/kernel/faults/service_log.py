"""What the fault tests look for in a service's log."""

from typing import Any

from tests.kernel.processes.service_process import ServiceProcess

SIGNS_OF_A_TRACEBACK = ("Traceback", '"exception"')
"""As text, and in a line of JSON."""


def events_of(service: ServiceProcess, event: str) -> list[dict[str, Any]]:
    """Return the log lines of the event."""
    return [
        line
        for line in service.log_lines()
        if isinstance(line, dict) and line.get("event") == event
    ]


def assert_no_traceback(service: ServiceProcess) -> None:
    for sign in SIGNS_OF_A_TRACEBACK:
        assert sign not in service.log
