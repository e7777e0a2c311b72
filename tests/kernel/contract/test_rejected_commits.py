"""A commit of a plain session that the database rejects leaves no transaction behind."""

import pytest
from sqlalchemy import Column, ForeignKey, Integer, MetaData, Table, func, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

books = Table(
    "books_in_a_series",
    MetaData(),
    Column("id", Integer, primary_key=True),
    # Checked by the commit, and not before.
    Column("sequel_of", ForeignKey("books_in_a_series.id", deferrable=True, initially="DEFERRED")),
)


async def test_the_next_session_on_the_connection_begins_a_new_transaction(
    engine: AsyncEngine,
) -> None:
    async with engine.begin() as connection:
        await connection.run_sync(books.metadata.drop_all)
        await connection.run_sync(books.metadata.create_all)

    async with AsyncSession(engine) as session:
        await session.execute(insert(books).values(id=2, sequel_of=1))
        with pytest.raises(IntegrityError):
            await session.commit()

    async with AsyncSession(engine) as session:
        assert await session.scalar(select(func.count()).select_from(books)) == 0
        await session.execute(insert(books).values(id=1))
        await session.commit()

    async with AsyncSession(engine) as session:
        assert await session.scalar(select(func.count()).select_from(books)) == 1
    async with engine.begin() as connection:
        await connection.run_sync(books.metadata.drop_all)
