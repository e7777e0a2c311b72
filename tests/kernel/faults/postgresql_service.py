"""The service on a PostgreSQL server of the test's own, which is there to be hurt."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import pytest

from tests.kernel.database_settings import engine_for
from tests.kernel.faults.keep_alive_client import Response
from tests.kernel.postgresql_databases import NONE_FOUND
from tests.kernel.processes.postgresql_server import PostgresServer, find_binaries
from tests.kernel.processes.service_process import ServiceProcess
from tests.kernel.warehouse.storages import migrate_and_create_tables

needs_postgresql = pytest.mark.skipif(find_binaries() is None, reason=NONE_FOUND)


@contextmanager
def migrated_server(**settings: str) -> Iterator[PostgresServer]:
    """Start a server with the schema of today in its database `postgres`."""
    with PostgresServer.start(settings=settings) as server:
        asyncio.run(_migrate(server.url()))
        yield server


@asynccontextmanager
async def service_on(url: str, **settings: str) -> AsyncIterator[ServiceProcess]:
    """Run the service on the database, with settings by their names without `APP_`."""
    environment = {f"APP_{name.upper()}": value for name, value in settings.items()}
    async with ServiceProcess({"APP_DATABASE_URL": url, **environment}) as service:
        yield service


def assert_unavailable(response: Response) -> None:
    """Check that it is a 503 as it should be: a problem document that says when to try again, but
    for one whose outcome is unknown."""
    assert response.status == 503, response
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert problem["status"] == 503
    is_unknown = problem["type"] == "urn:problem:outcome-unknown"
    assert is_unknown or int(response.headers["retry-after"]) >= 1


async def _migrate(url: str) -> None:
    engine = engine_for(url)
    await migrate_and_create_tables(engine)
    await engine.dispose()
