"""What the fault tests look for in a service's log."""

from typing import Any

from tests.processes.service_process import ServiceProcess


def events_of(service: ServiceProcess, event: str) -> list[dict[str, Any]]:
    """Return the lines that tell of the event."""
    return [
        line
        for line in service.log_lines()
        if isinstance(line, dict) and line.get("event") == event
    ]


def assert_no_traceback(service: ServiceProcess) -> None:
    """Check that the log has none, neither as text nor in a line of JSON."""
    assert "Traceback" not in service.log
    assert '"exception"' not in service.log
