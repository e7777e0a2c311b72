"""A real nginx of the tests' own, in front of the service."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.kernel.processes.free_port import free_port
from tests.kernel.processes.guardian import Guardian
from tests.kernel.processes.listening import wait_until_it_listens
from tests.kernel.processes.process_log import ProcessLog
from tests.kernel.processes.server_account import ServerAccount

HOST = "127.0.0.1"
NONE_FOUND = "no nginx to test with: install the program nginx"
CONFIGURATION = """
daemon off;
worker_processes 1;
pid {directory}/pid;
error_log stderr;
events {{}}
http {{
    access_log off;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    {http}
    server {{
        listen {host}:{port};
        {server}
    }}
}}
"""


def find_nginx() -> str | None:
    """Return the path of the program; Debian keeps it where only root looks."""
    return shutil.which("nginx") or shutil.which("/usr/sbin/nginx")


needs_nginx = pytest.mark.skipif(find_nginx() is None, reason=NONE_FOUND)


@contextmanager
def nginx(server: str, http: str = "") -> Iterator[str]:
    """Yield the base URL of an nginx with these directives in its `server` and `http` blocks. It
    blocks: under a running event loop, use `asyncio.to_thread`."""
    port = free_port()
    account = ServerAccount.choose()
    directory = Path(tempfile.mkdtemp(prefix="nginx-"))
    guardian = Guardian(directory)
    log = ProcessLog()
    try:
        configuration = directory / "nginx.conf"
        configuration.write_text(
            CONFIGURATION.format(
                directory=directory, host=HOST, port=port, server=server, http=http
            )
        )
        account.own(directory)
        command = [str(find_nginx()), "-p", str(directory), "-e", "stderr", "-c"]
        process = account.run([*command, str(configuration)], log.fileno())
        guardian.watch(process.pid)
        try:
            wait_until_it_listens(process, HOST, port, log)
            yield f"http://{HOST}:{port}"
        finally:
            process.terminate()
            process.wait()
    finally:
        guardian.close()
