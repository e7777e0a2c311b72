"""Waiting for a server that a test has started."""

import socket
import subprocess
import time
from contextlib import suppress

from tests.kernel.processes.process_log import ProcessLog

PATIENCE_IN_SECONDS = 30.0


def wait_until_it_listens(
    process: "subprocess.Popen[bytes]", host: str, port: int, log: ProcessLog
) -> None:
    """Return when the port accepts connections. Raises `RuntimeError` with the end of the log if
    the process ends before, or does not listen in time."""
    deadline = time.monotonic() + PATIENCE_IN_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        with suppress(ConnectionRefusedError), socket.create_connection((host, port)):
            return
        time.sleep(0.01)
    raise RuntimeError(f"{process.args!r} did not start\n{log.tail()}")
