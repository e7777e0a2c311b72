"""What an app holds from its start to its end, and shares with no other."""

import asyncio
import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import make_url

from adapters.kernel.system_clock import SystemClock
from tests.kernel.fixed_clock import FixedClock
from tests.kernel.integration.service import (
    PRODUCTS,
    bare_client_of,
    client_of,
    create,
    settings_for,
)
from tests.kernel.postgresql_databases import run_statement
from tests.kernel.warehouse.app import Container, create_app
from tests.kernel.warehouse.application import ProductService
from tests.kernel.warehouse.storages import MemoryStorage


async def connections_to(url: str) -> int:
    """Count the connections of others to a PostgreSQL database."""
    address = make_url(url).set(drivername="postgresql")
    connection = await asyncpg.connect(address.render_as_string(hide_password=False))
    try:
        count = await connection.fetchval(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    finally:
        await connection.close()
    return int(count)


def other_threads(before: set[threading.Thread]) -> set[threading.Thread]:
    """Return the threads that were started since, and have had a moment to end."""
    deadline = time.monotonic() + 5
    while (left := set(threading.enumerate()) - before) and time.monotonic() < deadline:
        time.sleep(0.01)
    return left


async def test_the_container_lives_on_the_app(storage_url: str) -> None:
    app = create_app(settings_for(storage_url))
    assert not hasattr(app.state, "container")

    async with client_of(app):
        container = app.state.container
        assert isinstance(container.product_service(), ProductService)
        assert container.product_service() is container.product_service()
        assert container.settings().database_url.get_secret_value() == storage_url


async def test_two_apps_share_nothing(storage_url: str, tmp_path: Path) -> None:
    other_url = storage_url.replace("test.db", "other.db")
    one, other = create_app(settings_for(storage_url)), create_app(settings_for(other_url))

    async with client_of(one) as client_of_one, client_of(other) as client_of_other:
        assert one.state.container is not other.state.container
        assert one.state.container.storage() is not other.state.container.storage()
        item = await create(client_of_one)
        if not storage_url.startswith("postgresql"):
            assert (await client_of_other.get(PRODUCTS)).json() == []
        assert (await client_of_one.get(PRODUCTS)).json() == [item]

    async with client_of(one) as again:
        expected = [] if ":///" not in storage_url and "@" not in storage_url else [item]
        assert (await again.get(PRODUCTS)).json() == expected


async def test_an_app_outlives_the_end_of_another(database_url: str) -> None:
    one, other = create_app(settings_for(database_url)), create_app(settings_for(database_url))

    async with client_of(one) as client:
        async with client_of(other) as client_of_other:
            await client_of_other.get(PRODUCTS)
        await create(client)


async def test_an_override_holds_for_its_app_alone() -> None:
    clock = FixedClock()
    overridden = create_app(settings_for("memory://"), clock=clock)
    plain = create_app(settings_for("memory://"))

    async with client_of(overridden) as one, client_of(plain) as other:
        expected = clock.time.isoformat().replace("+00:00", "Z")
        assert (await create(one))["created_at"] == expected
        assert (await create(other))["created_at"] != expected
    assert isinstance(Container(settings=settings_for("memory://")).clock(), SystemClock)


def test_an_override_of_nothing_is_rejected() -> None:
    with pytest.raises(TypeError, match=r"cannot override clocck: the container has clock,"):
        create_app(settings_for("memory://"), clocck=None)


async def test_no_connection_to_postgresql_is_left_in_the_end(empty_postgresql_url: str) -> None:
    app = create_app(settings_for(empty_postgresql_url))
    async with client_of(app) as client:
        await asyncio.gather(*(client.get(PRODUCTS) for _ in range(5)))
        assert await connections_to(empty_postgresql_url) >= 1

    # A server's process outlives its connection by a moment.
    for _ in range(500):
        if not await connections_to(empty_postgresql_url):
            break
        await asyncio.sleep(0.01)
    assert await connections_to(empty_postgresql_url) == 0


@pytest.mark.parametrize("kind", ["sqlite_file", "sqlite_in_memory"])
async def test_no_thread_of_sqlite_is_left_in_the_end(
    request: pytest.FixtureRequest, kind: str
) -> None:
    before = set(threading.enumerate())
    async with client_of(create_app(settings_for(request.getfixturevalue(f"{kind}_url")))) as one:
        await asyncio.gather(*(one.get(PRODUCTS) for _ in range(5)), create(one))
        assert set(threading.enumerate()) - before

    assert not other_threads(before)


async def test_no_thread_is_left_when_the_app_ends_with_an_error(sqlite_file_url: str) -> None:
    before = set(threading.enumerate())

    async def fail() -> None:
        async with client_of(create_app(settings_for(sqlite_file_url))) as client:
            await create(client)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()

    assert not other_threads(before)


@pytest.mark.parametrize("obstacle", ["directory", "garbage", "two_revisions", "missing_table"])
async def test_no_thread_is_left_after_a_failed_start(
    tmp_path: Path, sqlite_file_url: str, obstacle: str
) -> None:
    path = tmp_path / "test.db"
    match obstacle:
        case "directory":
            path.mkdir()
        case "garbage":
            path.write_bytes(b"no database" * 1_000)
        case "two_revisions" | "missing_table":
            version = "CREATE TABLE alembic_version (version_num TEXT)"
            row = "INSERT INTO alembic_version VALUES ('99991231_2359')"
            with closing(sqlite3.connect(path)) as connection, connection:
                connection.execute(version)
                if obstacle == "two_revisions":
                    connection.execute(row)
                    connection.execute("INSERT INTO alembic_version VALUES ('another')")
                else:
                    connection.execute("CREATE TABLE idempotency_records (other TEXT)")
    before = set(threading.enumerate())

    with pytest.raises(Exception, match=r".") as failure:
        async with client_of(create_app(settings_for(sqlite_file_url))):
            pass

    assert not isinstance(failure.value, AssertionError)
    assert not other_threads(before)


async def test_a_storage_that_fails_to_open_is_closed() -> None:
    class Failing(MemoryStorage):
        closed = False

        async def open(self) -> None:
            raise ZeroDivisionError

        async def close(self) -> None:
            self.closed = True

    storage = Failing()

    with pytest.raises(ZeroDivisionError):
        async with client_of(create_app(settings_for("memory://"), storage=storage)):
            pass

    assert storage.closed


async def test_an_app_can_start_again_after_a_failed_start(
    tmp_path: Path, sqlite_file_url: str
) -> None:
    app, path = create_app(settings_for(sqlite_file_url)), tmp_path / "test.db"
    path.mkdir()
    with pytest.raises(Exception, match=r"."):
        async with client_of(app):
            pass

    path.rmdir()

    async with client_of(app) as client:
        await create(client)


async def test_the_folder_of_a_sqlite_file_is_made(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "down" / "items.db"

    async with client_of(create_app(settings_for(f"sqlite+aiosqlite:///{path}"))) as client:
        await create(client)

    assert path.is_file()


async def test_a_sqlite_file_keeps_its_items_from_start_to_start(sqlite_file_url: str) -> None:
    async with client_of(create_app(settings_for(sqlite_file_url))) as client:
        item = await create(client)

    async with client_of(create_app(settings_for(sqlite_file_url))) as client:
        assert (await client.get(PRODUCTS)).json() == [item]


async def test_a_server_database_is_not_migrated_by_the_service(empty_postgresql_url: str) -> None:
    async with client_of(create_app(settings_for(empty_postgresql_url))) as client:
        await client.get(PRODUCTS)

    # It would fail if the table were there.
    await asyncio.to_thread(run_statement, empty_postgresql_url, "CREATE TABLE products (id int)")


async def test_a_client_before_the_start_gets_a_problem() -> None:
    app = create_app(settings_for("memory://"))

    async with bare_client_of(app) as client:
        assert (await client.get("/health/live")).status_code == 200
        assert (await client.get(PRODUCTS)).status_code == 500
