import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.kernel.processes.guardian import ROOT, Guardian, gone
from tests.kernel.processes.postgresql_server import find_binaries

A_RUN_WITH_A_SERVER = """
import time
from tests.kernel.processes.postgresql_server import PostgresServer
from tests.kernel.processes.process_tree import descendants
with PostgresServer.start() as server:
    if {frozen}:
        server.freeze()
    print(server._cluster.data.parent, server.pid, *descendants(server.pid), flush=True)
    time.sleep(60)
"""


@pytest.mark.skipif(find_binaries() is None, reason="no PostgreSQL on this machine")
@pytest.mark.parametrize("frozen", [False, True])
def test_ends_a_server_whose_test_run_was_killed(frozen: bool) -> None:
    program = A_RUN_WITH_A_SERVER.format(frozen=frozen)
    with subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as run:
        assert run.stdout
        directory, *family = run.stdout.readline().split()
        run.send_signal(signal.SIGKILL)

    assert gone([int(pid) for pid in family], seconds=10)
    assert _is_removed(Path(directory))


def test_ends_a_process_and_its_children(tmp_path: Path) -> None:
    directory = tmp_path / "of the process"
    directory.mkdir()
    with (
        Guardian(directory) as guardian,
        subprocess.Popen(["sh", "-c", "sleep 60 & wait"]) as process,
    ):
        guardian.watch(process.pid)
        guardian.close()

        assert process.wait(timeout=0) != 0
    assert not directory.exists()


def test_it_leaves_forgotten_processes_alone() -> None:
    with Guardian() as guardian, subprocess.Popen(["sleep", "60"]) as process:
        guardian.watch(process.pid)
        guardian.forget(process.pid)
        guardian.close()

        assert process.poll() is None
        process.kill()


def _is_removed(directory: Path) -> bool:
    deadline = time.monotonic() + 10
    while directory.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    return not directory.exists()
