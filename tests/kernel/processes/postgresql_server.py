"""A real PostgreSQL server of the tests' own, which can crash, stop and freeze."""

import os
import secrets
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import Literal, Self

import asyncpg

from tests.kernel.processes.free_port import free_port
from tests.kernel.processes.guardian import Guardian, gone
from tests.kernel.processes.postgresql_binaries import find_binaries
from tests.kernel.processes.postgresql_cluster import PostgresCluster
from tests.kernel.processes.postmaster_file import is_ready, release_shared_memory
from tests.kernel.processes.process_log import ProcessLog
from tests.kernel.processes.process_tree import descendants

__all__ = ["PostgresServer", "find_binaries"]

StopMode = Literal["smart", "fast", "immediate"]
STOP_SIGNALS: Mapping[StopMode, signal.Signals] = {
    "smart": signal.SIGTERM,
    "fast": signal.SIGINT,
    "immediate": signal.SIGQUIT,
}
# A killed server loses nothing by these: what it has written, the operating system still holds.
# Only a machine that loses power needs them, and no test takes the power away.
QUICK = {"fsync": "off", "full_page_writes": "off"}
NO_SETTINGS: Mapping[str, str] = MappingProxyType({})
PATIENCE_IN_SECONDS = 30.0
PORT_ATTEMPTS = 5
PASSWORD = secrets.token_urlsafe(16)
"""Of all servers that this process starts: they are copies of one."""


class PostgresServer:
    """`with PostgresServer.start() as server`.

    What is not `async` blocks: under a running event loop, give it to `asyncio.to_thread`.
    """

    host = "127.0.0.1"
    user = "service"

    def __init__(self, directory: Path, settings: Mapping[str, str], *, tls: bool = False) -> None:
        self.port = free_port()
        self.password = PASSWORD
        self._settings = settings
        self._log = ProcessLog()
        self._guardian = Guardian(directory)
        try:
            self._cluster = PostgresCluster(directory, self._log, self._guardian, tls=tls)
        except BaseException:
            self._guardian.close()
            raise
        self._process: subprocess.Popen[bytes] | None = None

    @classmethod
    def start(
        cls,
        directory: Path | None = None,
        settings: Mapping[str, str] = NO_SETTINGS,
        *,
        durable: bool = False,
        tls: bool = False,
    ) -> Self:
        """Make a new server and start it; its data are in a new directory below the given one.

        `durable` makes it flush to the disk as a server in production does. `tls` chooses one
        that can do TLS; the settings name its certificate.
        """
        new_directory = Path(tempfile.mkdtemp(prefix="postgresql-", dir=directory))
        server = cls(new_directory, settings if durable else {**QUICK, **settings}, tls=tls)
        try:
            if durable:
                server._cluster.initialize(cls.user, server.password, durable=True)
            else:
                server._cluster.create(cls.user, server.password)
            server._start_on_a_free_port()
        except BaseException:
            server.close()
            raise
        return server

    @property
    def pid(self) -> int:
        return self._running().pid

    @property
    def log(self) -> str:
        return self._log.text()

    def url(
        self,
        database: str = "postgres",
        driver: str = "postgresql+asyncpg",
        port: int | None = None,
    ) -> str:
        """Return the address of a database; give `port` to go through a proxy."""
        address = f"{self.host}:{port or self.port}"
        return f"{driver}://{self.user}:{self.password}@{address}/{database}"

    async def create_database(self, name: str) -> None:
        await self._execute(f'CREATE DATABASE "{name}"')

    async def drop_database(self, name: str) -> None:
        """Drop it even while somebody is connected to it."""
        await self._execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def start_standby(self) -> "PostgresServer":
        """Start a standby, for which every commit waits from now on. This server restarts."""
        self.stop()
        directory = Path(tempfile.mkdtemp(prefix="postgresql-", dir=self._cluster.data.parents[1]))
        address = f"host={self.host} port={self.port} user={self.user} password={self.password}"
        standby = PostgresServer(directory, {**self._settings, "primary_conninfo": address})
        try:
            standby._cluster.copy(self._cluster)
            self._settings = {**self._settings, "synchronous_standby_names": "*"}
            self.resume()
            standby._start_on_a_free_port()
        except BaseException:
            standby.close()
            raise
        return standby

    async def promote(self) -> None:
        """Make a standby the server that takes writes; return when it does."""
        await self._execute("SELECT pg_promote()")

    async def become_read_only(self) -> None:
        """Take no writes any more, on the connections that there are neither: as a server that has
        lost its office to another."""
        await self._execute("ALTER SYSTEM SET default_transaction_read_only = on")
        await self._execute("SELECT pg_reload_conf()")

    def kill(self) -> None:
        """Crash: no process of the server gets to do anything more. `resume` recovers."""
        family = self._halt_all()
        for member in family:
            _send(member, signal.SIGKILL)
        self._wait_for_the_end()
        # Until the last of them is gone, the next server would find its shared memory in use.
        if not gone(family, PATIENCE_IN_SECONDS):
            raise TimeoutError(self._report("did not die"))

    def stop(self, mode: StopMode = "fast") -> None:
        """Shut down: "smart" waits for the clients to leave, "immediate" leaves recovery to do."""
        self._running().send_signal(STOP_SIGNALS[mode])
        self._wait_for_the_end()

    def resume(self) -> None:
        """Start again after `kill` or `stop`, on the same port and with the same data."""
        if not self._start():
            raise RuntimeError(self._report("did not get its port back"))

    def restart(self, mode: StopMode = "fast") -> None:
        self.stop(mode)
        self.resume()

    def become_standby(self) -> None:
        """Go on as a standby of no server: it can be read, and waits for ever for more to apply."""
        self.stop()
        (self._cluster.data / "standby.signal").touch()
        self.resume()

    def freeze(self) -> None:
        """Halt every process of the server: connections stay open and nothing responds."""
        self._halt_all()

    def thaw(self) -> None:
        for member in reversed(self._family()):
            _send(member, signal.SIGCONT)

    def close(self) -> None:
        """End the server, whatever state it is in, and remove its directory."""
        try:
            if self._process is not None:
                self.thaw()
                self.stop("immediate")
            release_shared_memory(self._cluster.data / "postmaster.pid")
        finally:
            self._guardian.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _start_on_a_free_port(self) -> None:
        for _ in range(PORT_ATTEMPTS):
            if self._start():
                return
            self.port = free_port()
        raise RuntimeError(self._report(f"found {PORT_ATTEMPTS} ports taken"))

    def _start(self) -> bool:
        """Start and wait until it takes connections; return False when the port is taken."""
        seen = len(self.log)
        process = self._process = self._cluster.serve(
            {
                **self._settings,
                "listen_addresses": self.host,
                "port": str(self.port),
                "unix_socket_directories": "",
                # In files of its own, which go with its directory, also when it was killed.
                "dynamic_shared_memory_type": "mmap",
            }
        )
        deadline = time.monotonic() + PATIENCE_IN_SECONDS
        while not is_ready(self._cluster.data / "postmaster.pid", process.pid):
            if process.poll() is not None:
                self._wait_for_the_end()
                if "Address already in use" in self.log[seen:]:
                    return False
                raise RuntimeError(self._report("ended while it started"))
            if time.monotonic() > deadline:
                raise TimeoutError(self._report("was not ready in time"))
            time.sleep(0.005)
        return True

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise RuntimeError(self._report("is not running"))
        return self._process

    def _family(self) -> list[int]:
        return [self.pid, *descendants(self.pid)]

    def _halt_all(self) -> list[int]:
        # The parent first: from then on the list of its children stands still.
        _send(self.pid, signal.SIGSTOP)
        family = self._family()
        for member in family:
            _send(member, signal.SIGSTOP)
        return family

    def _wait_for_the_end(self) -> None:
        process = self._running()
        process.wait(PATIENCE_IN_SECONDS)
        self._guardian.forget(process.pid)
        self._process = None

    def _report(self, what: str) -> str:
        return f"the PostgreSQL server {what}\n{self._log.tail()}"

    async def _execute(self, statement: str) -> None:
        connection = await asyncpg.connect(self.url(driver="postgresql"))
        try:
            await connection.execute(statement)
        finally:
            await connection.close()


def _send(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)
