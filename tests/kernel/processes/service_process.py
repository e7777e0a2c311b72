"""The service as its users run it: a process of its own, with nothing but its environment."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

import httpx

from tests.kernel.processes.environment import environment_without_settings
from tests.kernel.processes.free_port import free_port
from tests.kernel.processes.guardian import Guardian
from tests.kernel.processes.process_log import ProcessLog
from tests.kernel.processes.process_tree import descendants

PATIENCE_IN_SECONDS = 60.0
NO_SETTINGS: Mapping[str, str] = MappingProxyType({})


class ServiceProcess:
    """`async with ServiceProcess({"APP_DATABASE_URL": ...}) as service: ... service.base_url ...`

    Of this process's environment, it inherits all but the service's own settings. It runs in the
    current directory unless another one is named; tests have an empty one, without a `.env`.
    """

    host = "127.0.0.1"

    def __init__(
        self,
        settings: Mapping[str, str] = NO_SETTINGS,
        *,
        cwd: Path | None = None,
        arguments: Sequence[str] = ("-m", "tests.kernel.warehouse"),
        prefix: Sequence[str] = (),
        output: int | None = None,
    ) -> None:
        """`arguments` are Python's, in which `{port}` stands for the port; `prefix` is a command
        that runs Python; `output` is a file descriptor for what the service writes, which is then
        not in `log`."""
        self.port = int(settings.get("APP_PORT", 0)) or free_port()
        self._cwd = cwd
        self._environment = {
            **environment_without_settings(),
            "APP_HOST": self.host,
            **settings,
            "APP_PORT": str(self.port),
        }
        formatted = [each.replace("{port}", str(self.port)) for each in arguments]
        self._command = [*prefix, sys.executable, *formatted]
        self._log = ProcessLog()
        self._output = self._log.fileno() if output is None else output
        self._guardian: Guardian | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def base_url(self) -> str:
        return f"http://{self.host}:{self.port}"

    @property
    def pid(self) -> int:
        return self._started().pid

    @property
    def log(self) -> str:
        """What it has written to standard output and standard error; also after its end."""
        return self._log.text()

    def log_lines(self) -> list[dict[str, Any] | str]:
        """The log line by line, each a JSON object if it is one and else the text."""
        return [_decoded(line) for line in self.log.splitlines()]

    async def start(self) -> None:
        """Start, and return when it responds that it is alive."""
        self.launch()
        deadline = time.monotonic() + PATIENCE_IN_SECONDS
        # No proxy that the environment names has anything to do with a process next to us.
        async with httpx.AsyncClient(base_url=self.base_url, trust_env=False) as client:
            while not await _is_alive(client):
                if self._started().poll() is not None:
                    raise RuntimeError(self._report(f"ended with {self._started().returncode}"))
                if time.monotonic() > deadline:
                    raise TimeoutError(self._report("was not alive in time"))
                await asyncio.sleep(0.02)

    def launch(self) -> None:
        """Start without waiting, as for a service that is expected to refuse to start."""
        self._guardian = Guardian()
        self._process = subprocess.Popen(
            self._command,
            cwd=self._cwd,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=self._output,
            start_new_session=True,
        )
        self._guardian.watch(self._process.pid)

    def signal(self, number: signal.Signals) -> None:
        self._started().send_signal(number)

    def terminate(self) -> None:
        """Ask it to end, as an orchestrator does."""
        self.signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it and its children with no chance to say goodbye."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)

    async def wait(self, timeout: float = PATIENCE_IN_SECONDS) -> int:  # noqa: ASYNC109
        """Return the exit code; negative is the number of the signal that ended it."""
        process = self._started()
        deadline = time.monotonic() + timeout
        while (code := process.poll()) is None:
            if time.monotonic() > deadline:
                raise TimeoutError(self._report(f"still runs after {timeout} s"))
            await asyncio.sleep(0.01)
        return code

    def memory_bytes(self) -> int:
        """Memory that is resident, its children's included."""
        family = [self.pid, *descendants(self.pid)]
        page = os.sysconf("SC_PAGE_SIZE")
        statm = [Path(f"/proc/{pid}/statm").read_text() for pid in family]
        return sum(int(sizes.split()[1]) * page for sizes in statm)

    def open_files(self) -> list[str]:
        """What its file descriptors lead to: files, sockets, pipes."""
        found = []
        for descriptor in Path(f"/proc/{self.pid}/fd").iterdir():
            with suppress(FileNotFoundError):  # closed while we looked
                found.append(str(descriptor.readlink()))
        return found

    async def close(self) -> None:
        """Ask it to end, and see that it has; an error if it had to be killed."""
        try:
            if self._process is not None:
                self.signal(signal.SIGCONT)
                self.terminate()
                await self.wait()
        finally:
            if self._process is not None:
                self.kill()  # the whole group: a child may have outlived its parent
                self._process.wait()
            if self._guardian is not None:
                self._guardian.close()

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            if self._process is not None:
                self.kill()
            await self.close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            message = "the service has not been started"
            raise RuntimeError(message)
        return self._process

    def _report(self, what: str) -> str:
        return f"the service {what}\n{self._log.tail()}"


async def _is_alive(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/health/live")).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def _decoded(line: str) -> dict[str, Any] | str:
    try:
        decoded = json.loads(line)
    except ValueError:
        return line
    return decoded if isinstance(decoded, dict) else line
