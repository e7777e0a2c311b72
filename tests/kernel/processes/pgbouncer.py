"""A real PgBouncer of the tests' own, between the service and a PostgreSQL server."""

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

import pytest
from sqlalchemy import make_url

from tests.kernel.processes.free_port import free_port
from tests.kernel.processes.guardian import Guardian
from tests.kernel.processes.listening import wait_until_it_listens
from tests.kernel.processes.process_log import ProcessLog
from tests.kernel.processes.server_account import ServerAccount

HOST = "127.0.0.1"
NONE_FOUND = "no PgBouncer to test with: install the program pgbouncer"
NO_SETTINGS: Mapping[str, str] = MappingProxyType({})


def find_pgbouncer() -> str | None:
    """Return the path of the program; Debian keeps it where only root looks."""
    return shutil.which("pgbouncer") or shutil.which("/usr/sbin/pgbouncer")


needs_pgbouncer = pytest.mark.skipif(find_pgbouncer() is None, reason=NONE_FOUND)


@contextmanager
def pgbouncer(
    server_url: str, *, mode: str, connections: int, settings: Mapping[str, str] = NO_SETTINGS
) -> Iterator[str]:
    """Yield the address of the same database through a PgBouncer that has so many connections to
    the server. It blocks: under a running event loop, use `asyncio.to_thread`."""
    url = make_url(server_url)
    port = free_port()
    account = ServerAccount.choose()
    directory = Path(tempfile.mkdtemp(prefix="pgbouncer-"))
    guardian = Guardian(directory)
    log = ProcessLog()
    try:
        users = directory / "users.txt"
        users.write_text(f'"{url.username}" "{url.password}"\n')
        options = {
            "listen_addr": HOST,
            "listen_port": str(port),
            "unix_socket_dir": "",
            "auth_type": "scram-sha-256",
            "auth_file": str(users),
            "pool_mode": mode,
            "default_pool_size": str(connections),
            "max_client_conn": "300",
            **settings,
        }
        configuration = directory / "pgbouncer.ini"
        configuration.write_text(
            f"[databases]\n* = host={url.host} port={url.port or 5432}\n[pgbouncer]\n"
            + "".join(f"{name} = {value}\n" for name, value in options.items())
        )
        account.own(directory)
        process = account.run([str(find_pgbouncer()), str(configuration)], log.fileno())
        guardian.watch(process.pid)
        try:
            wait_until_it_listens(process, HOST, port, log)
            yield url.set(host=HOST, port=port).render_as_string(hide_password=False)
        finally:
            process.terminate()
            process.wait()
    finally:
        guardian.close()
