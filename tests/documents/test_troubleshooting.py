"""What docs/troubleshooting.md says of errors is so."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Column, DateTime, ForeignKey, Integer, MetaData, Table, insert, select, text
from sqlalchemy.exc import DBAPIError, MissingGreenlet
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship, selectinload

from adapters.sql.kernel.addresses.database_url import parse_database_url
from adapters.sql.kernel.column_types import UtcTime
from adapters.sql.kernel.errors.driver_errors import translated
from application.kernel.errors import StorageUnavailable, TransactionConflict
from entrypoints.container import init_container
from tests.documents.test_references import ROOT
from tests.kernel.integration.service import settings_for

PAGE = " ".join((ROOT / "docs" / "troubleshooting.md").read_text("utf-8").split())


class Base(DeclarativeBase):
    pass


class Author(Base):
    __tablename__ = "authors_of_a_page"

    id: Mapped[int] = mapped_column(primary_key=True)
    books: Mapped[list["AuthorsBook"]] = relationship()


class AuthorsBook(Base):
    __tablename__ = "books_of_a_page"

    id: Mapped[int] = mapped_column(primary_key=True)
    author_id: Mapped[int] = mapped_column(ForeignKey("authors_of_a_page.id"))


moments = Table(
    "moments_of_a_page",
    Base.metadata,
    Column("id", Integer, primary_key=True),
    Column("utc", UtcTime),
    Column("naive", DateTime()),
)

Sessions = Callable[[], AsyncSession]


@pytest.fixture
async def sessions(database_url: str) -> AsyncIterator[Sessions]:
    async with sessions_on(database_url) as sessions:
        yield sessions


@asynccontextmanager
async def sessions_on(url: str) -> AsyncIterator[Sessions]:
    """Yield what the app's container makes sessions with, on one connection."""
    settings = settings_for(url, database_pool_size=1, request_deadline_seconds=0.5)
    container = await init_container(settings)
    engine: AsyncEngine = container.engine()
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.drop_all)
        await connection.run_sync(Base.metadata.create_all)
    yield container.sessionmaker()
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.drop_all)
    await engine.dispose()


# On SQLite, SQLAlchemy leaves a coroutine behind, which warns.
async def test_missing_greenlet(postgresql_url: str) -> None:
    async with sessions_on(postgresql_url) as sessions:
        await _assert_that_lazy_loading_fails(sessions)


async def _assert_that_lazy_loading_fails(sessions: Sessions) -> None:
    async with sessions() as session:
        author = Author(id=1, books=[AuthorsBook(id=1)])
        session.add(author)
        await session.commit()
        assert author.id == 1  # readable after the commit

    async with sessions() as session:
        author = (await session.scalars(select(Author))).one()
        with pytest.raises(MissingGreenlet):
            len(author.books)

    async with sessions() as session:
        query = select(Author).options(selectinload(Author.books))
        assert len((await session.scalars(query)).one().books) == 1

    async with sessions() as session:
        author = (await session.scalars(select(Author))).one()
        await session.refresh(author, ["books"])
        assert len(author.books) == 1


async def test_queue_pool_limit(sessions: Sessions) -> None:
    async with sessions() as holder, sessions() as waiter:
        await holder.execute(select(1))
        with pytest.raises(PoolTimeoutError, match="QueuePool limit of size 1 overflow 0") as found:
            await waiter.execute(select(1))

    meaning = translated(found.value)
    assert isinstance(meaning, StorageUnavailable)
    assert str(meaning) in PAGE


async def test_times_without_a_zone(sessions: Sessions) -> None:
    naive = datetime(2026, 1, 2, 3, 4, 5)  # noqa: DTZ001 -- it is what is tested
    async with sessions() as session:
        await session.execute(insert(moments).values(id=1, utc=naive))
        assert await session.scalar(select(moments.c.utc)) == naive.astimezone(UTC)


async def test_an_aware_time_for_a_column_without_a_zone(postgresql_url: str) -> None:
    engine = (await init_container(settings_for(postgresql_url))).engine()
    statement = text("SELECT CAST(:moment AS TIMESTAMP WITHOUT TIME ZONE)")
    async with engine.connect() as connection:
        with pytest.raises(DBAPIError, match="can't subtract offset-naive and offset-aware") as one:
            await connection.execute(statement, {"moment": datetime.now(UTC)})
    await engine.dispose()

    assert translated(one.value) is None  # a 500


async def test_a_cached_plan_fails_once_in_a_session(postgresql_url: str) -> None:
    table = Table("plans_of_a_page", MetaData(), Column("id", Integer))
    container = await init_container(settings_for(postgresql_url, database_pool_size=1))
    sessions, query = container.sessionmaker(), text("SELECT * FROM plans_of_a_page")

    async def execute(*statements: Any) -> None:
        async with sessions() as session:
            for statement in statements:
                await session.execute(statement)
            await session.commit()

    async with container.engine().begin() as connection:
        await connection.run_sync(table.metadata.create_all)
    await execute(query, query)
    await execute(text("ALTER TABLE plans_of_a_page ADD COLUMN title text"))

    with pytest.raises(DBAPIError, match="cached statement plan is invalid") as found:
        await execute(query)
    await execute(query, text("DROP TABLE plans_of_a_page"))
    await container.engine().dispose()

    assert isinstance(translated(found.value), TransactionConflict)


def test_another_driver() -> None:
    with pytest.raises(ValueError, match="async") as found:
        parse_database_url("postgresql+psycopg2://user@host/name")

    assert str(found.value).partition(" instead")[0] in PAGE


@pytest.mark.parametrize(
    ("sentence", "module"),
    [
        ("several migrations are the newest", "adapters/sql/kernel/migration/schema.py"),
        ("requests failed", "entrypoints/http/kernel/problems/outage_log.py"),
    ],
)
def test_the_words_of_the_service_are_those_of_the_page(sentence: str, module: str) -> None:
    assert sentence in PAGE
    assert sentence in Path(ROOT / module).read_text("utf-8")
