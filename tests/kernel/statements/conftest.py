import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from adapters.sql.kernel.engine import open_database
from tests.kernel.database_settings import engine_for
from tests.kernel.postgresql_databases import empty_database
from tests.kernel.statements.both_ways import BothWays
from tests.kernel.statements.warehouse import COMPOSITE, Warehouse


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def kind_of_database(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def warehouse(kind_of_database: str) -> Warehouse:
    return Warehouse(kind_of_database)


@pytest.fixture(scope="module")
def urls(
    kind_of_database: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, str]]:
    """Two empty databases."""
    with ExitStack() as stack:
        if kind_of_database == "sqlite":
            folder: Path = tmp_path_factory.mktemp("statements")
            yield (
                f"sqlite+aiosqlite:///{folder / 'ours.db'}",
                f"sqlite+aiosqlite:///{folder / 'plain.db'}",
            )
        else:
            server = request.getfixturevalue("postgresql_server_url")
            yield (
                stack.enter_context(empty_database(server)),
                stack.enter_context(empty_database(server)),
            )


@pytest.fixture(scope="module")
def both_ways(
    runner: asyncio.Runner, warehouse: Warehouse, urls: tuple[str, str]
) -> Iterator[BothWays]:
    ours, plain = engine_for(urls[0]), create_async_engine(urls[1])
    if plain.dialect.name == "sqlite":

        @event.listens_for(plain.sync_engine, "connect")
        def enforce_foreign_keys(dbapi_connection: object, _: object) -> None:
            cursor = dbapi_connection.cursor()  # type: ignore[attr-defined]
            cursor.execute("PRAGMA foreign_keys = ON")
            cursor.execute("PRAGMA synchronous = OFF")
            cursor.close()

    async def create(engine: AsyncEngine) -> None:
        async with engine.begin() as connection:
            if engine.dialect.name == "postgresql":
                await connection.execute(text(COMPOSITE))
                name = engine.url.database
                await connection.execute(
                    text(f"ALTER DATABASE {name} SET synchronous_commit = off")
                )
            await connection.run_sync(warehouse.metadata.create_all)
        await engine.dispose()

    async def open_all() -> BothWays:
        await create(ours)
        await create(plain)
        return BothWays(warehouse, ours, open_database(ours, warehouse.metadata), plain)

    async def close_all(both: BothWays) -> None:
        await both.close()
        await plain.dispose()
        await ours.dispose()

    both = runner.run(open_all())
    yield both
    runner.run(close_all(both))
