"""The databases that tests run on.

A test that asks for `storage_url` runs once for each kind of storage, one that asks for
`database_url` once for each SQL database. Both are empty, with the schema of today on PostgreSQL
and none yet on SQLite, which the service migrates by itself. The tests of the kernel have tables of
their own (`tests/kernel/warehouse`).
"""

import asyncio
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from application.unit_of_work import UnitsOfWork
from entrypoints.container import init_container
from entrypoints.http.app import create_app
from entrypoints.settings import AppSettings
from tests.kernel.database_settings import engine_for
from tests.kernel.postgresql_databases import (
    NONE_FOUND,
    SERVER_VARIABLE,
    empty_database,
    postgresql_server,
    run_statement,
)
from tests.kernel.processes.environment import ROOT
from tests.kernel.warehouse.storages import migrate_and_create_tables

_TRUNCATE_ALL = """
DO $$ BEGIN EXECUTE (
    SELECT 'TRUNCATE ' || string_agg(quote_ident(tablename), ', ') FROM pg_tables
    WHERE schemaname = 'public' AND tablename <> 'alembic_version'
); END $$
"""
SQL_DATABASES = ["sqlite_file", "sqlite_in_memory", "postgresql"]


def pytest_configure(config: pytest.Config) -> None:
    """Let test workers and services share what Python compiles where the tree cannot have it.

    Each of some hundred processes would compile every module that it imports, which takes several
    times as long as all else that it does at its start.
    """
    if not sys.dont_write_bytecode and os.access(ROOT, os.W_OK):
        return
    directory = tempfile.TemporaryDirectory(prefix="pycache-", ignore_cleanup_errors=True)
    config.add_cleanup(directory.cleanup)
    environment = pytest.MonkeyPatch()
    config.add_cleanup(environment.undo)
    environment.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    environment.setenv("PYTHONPYCACHEPREFIX", directory.name)


@pytest.fixture(autouse=True)
def _nothing_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test reads a developer's `.env` or settings, or touches what they name."""
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith("APP_") and name != SERVER_VARIABLE:
            monkeypatch.delenv(name)


@pytest.fixture(params=["memory", *SQL_DATABASES])
def storage_url(request: pytest.FixtureRequest) -> str:
    return _url(request)


@pytest.fixture(params=SQL_DATABASES)
def database_url(request: pytest.FixtureRequest) -> str:
    return _url(request)


def _url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture
async def async_client(storage_url: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the app on an empty storage, of each kind in turn."""
    app = create_app(settings_for(storage_url))
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://test") as client,
    ):
        yield client


@pytest.fixture
async def units_of_work(storage_url: str) -> AsyncIterator[UnitsOfWork]:
    """Units of work on an empty storage, of each kind in turn."""
    container = await init_container(settings_for(storage_url))
    await container.storage().open()
    yield container.units_of_work()
    await container.storage().close()


def settings_for(url: str) -> AppSettings:
    """Return the settings for a database, whatever a developer's own `.env` says."""
    return AppSettings(_env_file=None, database_url=SecretStr(url))


@pytest.fixture
def memory_url() -> str:
    return "memory://"


@pytest.fixture
def sqlite_file_url(tmp_path: Path) -> str:
    return f"sqlite+aiosqlite:///{tmp_path / 'test.db'}"


@pytest.fixture
def sqlite_in_memory_url() -> str:
    return "sqlite+aiosqlite://"


@pytest.fixture
def postgresql_url(migrated_postgresql_url: str) -> str:
    run_statement(migrated_postgresql_url, _TRUNCATE_ALL)
    return migrated_postgresql_url


@pytest.fixture
def empty_postgresql_url(postgresql_server_url: str) -> Iterator[str]:
    """A database without any schema, for one test alone."""
    with empty_database(postgresql_server_url) as url:
        yield url


@pytest.fixture(scope="session")
def migrated_postgresql_url(postgresql_server_url: str) -> Iterator[str]:
    """This test worker's database; ask for `postgresql_url`, which also empties its tables."""
    with empty_database(postgresql_server_url) as url:
        asyncio.run(_migrate(url))
        yield url


@pytest.fixture(scope="session")
def postgresql_server_url() -> Iterator[str]:
    with postgresql_server() as url:
        yield url


async def _migrate(url: str) -> None:
    engine = engine_for(url)
    await migrate_and_create_tables(engine)
    await engine.dispose()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = [
        report
        for report in terminalreporter.getreports("skipped")
        if NONE_FOUND in str(report.longrepr)
    ]
    if skipped:
        terminalreporter.section("PostgreSQL was not tested", yellow=True, bold=True)
        terminalreporter.line(f"{len(skipped)} tests were skipped: {NONE_FOUND}", yellow=True)
