"""A subject as a process."""

import os
import subprocess
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from typing import Self

from benchmarks.resource import PREFIX
from benchmarks.subjects import POOL_SIZE, Subject
from tests.kernel.processes.environment import environment_without_settings
from tests.kernel.processes.free_port import free_port
from tests.kernel.processes.guardian import Guardian

HOST = "127.0.0.1"
PATIENCE_SECONDS = 60.0


class RunningSubject:
    """`with RunningSubject(...) as running`: migrated, started and serving."""

    def __init__(self, subject: Subject, url: str, log: Path, guardian: Guardian) -> None:
        self.subject = subject
        self.url = url
        self.port = free_port()
        self.item_ids: list[str] = []
        self._log = log
        self._guardian = guardian
        self._environment = {
            **environment_without_settings(),
            # The first start compiles everything, and no later one does.
            "PYTHONPYCACHEPREFIX": str(log.parent / "pycache"),
            "APP_DATABASE_URL": url,
            "APP_DATABASE_POOL_SIZE": str(POOL_SIZE),
            "APP_HOST": HOST,
            "APP_PORT": str(self.port),
        }
        self._environment.pop("PYTHONDONTWRITEBYTECODE", None)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid

    def __enter__(self) -> Self:
        try:
            self.migrate()
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def migrate(self) -> None:
        if self.subject.migration_command:
            code = self._launch(self.subject.migration_command).wait(PATIENCE_SECONDS)
            if code:
                raise RuntimeError(self.report(f"could not be migrated ({code})"))

    def start(self) -> float:
        """Start it, and return the seconds to its first response from the database."""
        started = time.perf_counter()
        self._process = self._launch(self.subject.command)
        self._guardian.watch(self._process.pid)
        while not self._is_serving():
            if self._process.poll() is not None:
                raise RuntimeError(self.report(f"ended with {self._process.returncode}"))
            if time.perf_counter() - started > PATIENCE_SECONDS:
                raise TimeoutError(self.report("did not respond in time"))
            time.sleep(0.002)
        return time.perf_counter() - started

    def stop(self) -> None:
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._guardian.forget(self._process.pid)
        self._process = None

    def report(self, what: str) -> str:
        tail = self._log.read_bytes()[-3000:].decode(errors="replace")
        return f"{self.subject.name} on {self.subject.database} {what}\n{tail}"

    def _launch(self, command: list[str]) -> subprocess.Popen[bytes]:
        with self._log.open("ab") as log:
            return subprocess.Popen(
                command,
                cwd=self._log.parent,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def _is_serving(self) -> bool:
        connection = HTTPConnection(HOST, self.port, timeout=PATIENCE_SECONDS)
        try:
            connection.request("GET", f"{PREFIX}/?limit=1")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()


def start_all(everyone: Sequence[RunningSubject]) -> None:
    """Migrate and start them, some at a time."""

    def start(running: RunningSubject) -> None:
        running.migrate()
        running.start()

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(start, everyone))
