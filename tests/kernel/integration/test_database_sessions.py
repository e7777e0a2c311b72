"""Plain SQLAlchemy sessions, for routes and background workers that want no repository."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from uuid import UUID

import httpx
import pytest
from fastapi import Depends, FastAPI
from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from adapters.sql.kernel import engine_settings
from entrypoints.http.dependencies import get_async_session, get_async_sessionmaker
from tests.kernel.integration.problem_document import problem_of
from tests.kernel.integration.service import PRODUCTS, UNKNOWN_ID, client_of, create, settings_for
from tests.kernel.warehouse.app import create_app
from tests.kernel.warehouse.sql import products

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ADD = insert(products).values(
    id=UUID(UNKNOWN_ID), name="by hand", version=1, created_at=NOW, updated_at=NOW
)
COUNT = select(func.count()).select_from(products)

Session = Annotated[AsyncSession, Depends(get_async_session)]


@pytest.fixture
def app(database_url: str) -> FastAPI:
    return create_app(settings_for(database_url))


async def test_fifty_concurrent_requests_get_fifty_sessions(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # On a busy machine, fifty may have one connection for longer than a request waits for it.
    monkeypatch.setattr(engine_settings, "LONGEST_WAIT_SECONDS", 60)
    app = create_app(settings_for(database_url))
    sessions: list[AsyncSession] = []
    all_are_here = asyncio.Barrier(50)

    @app.get("/count")
    async def count(session: Session) -> int:
        sessions.append(session)
        await all_are_here.wait()
        return int(await session.scalar(COUNT) or 0)

    async with client_of(app) as client:
        await create(client)
        responses = await asyncio.gather(*(client.get("/count") for _ in range(50)))

    assert [(response.status_code, response.json()) for response in responses] == [(200, 1)] * 50
    assert len({id(session) for session in sessions}) == 50


async def test_what_a_session_has_not_committed_is_rolled_back(app: FastAPI) -> None:
    @app.post("/uncommitted")
    async def uncommitted(session: Session) -> int:
        await session.execute(ADD)
        return int(await session.scalar(COUNT) or 0)

    @app.post("/failed")
    async def failed(session: Session) -> None:
        await session.execute(ADD)
        raise RuntimeError("broken")

    async with client_of(app) as client:
        assert (await client.post("/uncommitted")).json() == 1
        assert (await client.get(PRODUCTS)).json() == []
        problem_of(await client.post("/failed"), 500)
        assert (await client.get(PRODUCTS)).json() == []
        # Nor has any of it left a lock behind.
        await create(client)


async def test_what_a_session_has_committed_stays(app: FastAPI) -> None:
    @app.post("/committed")
    async def committed(session: Session) -> None:
        await session.execute(ADD)
        await session.commit()

    async with client_of(app) as client:
        assert (await client.post("/committed")).status_code == 200
        (item,) = (await client.get(PRODUCTS)).json()

    assert (item["id"], item["name"]) == (UNKNOWN_ID, "by hand")


async def test_a_session_is_one_within_a_request(app: FastAPI) -> None:
    async def needs_one(session: Session) -> AsyncSession:
        return session

    @app.get("/same")
    async def same(one: Session, other: Annotated[AsyncSession, Depends(needs_one)]) -> bool:
        return one is other

    async with client_of(app) as client:
        assert (await client.get("/same")).json() is True


async def test_a_route_can_hand_the_sessionmaker_to_background_work(app: FastAPI) -> None:
    work: list[asyncio.Task[None]] = []

    async def add(sessionmaker: async_sessionmaker[AsyncSession]) -> None:
        async with sessionmaker() as session, session.begin():
            await session.execute(ADD)

    @app.post("/background")
    async def background(
        sessionmaker: Annotated[async_sessionmaker[AsyncSession], Depends(get_async_sessionmaker)],
    ) -> None:
        work.append(asyncio.create_task(add(sessionmaker)))

    async with client_of(app) as client:
        await client.post("/background")
        await asyncio.gather(*work)
        (item,) = (await client.get(PRODUCTS)).json()

    assert item["name"] == "by hand"


async def test_a_worker_beside_the_requests_uses_the_same_database(app: FastAPI) -> None:
    async with client_of(app) as client:
        sessionmaker = await get_async_sessionmaker(app)
        await create(client)
        async with sessionmaker() as session:
            assert await session.scalar(COUNT) == 1


async def test_two_apps_share_no_session(tmp_path: Path) -> None:
    one, other = (
        create_app(settings_for(f"sqlite+aiosqlite:///{tmp_path / name}")) for name in "ab"
    )
    async with client_of(one) as client, client_of(other):
        await create(client)
        counts = []
        for app in (one, other):
            async for session in get_async_session(await get_async_sessionmaker(app)):
                counts.append(await session.scalar(COUNT))

    assert counts == [1, 0]


async def test_without_a_database_the_error_says_so() -> None:
    app = create_app(settings_for("memory://"))

    @app.get("/count")
    async def count(session: Session) -> int:
        raise AssertionError("there is no session")

    async with client_of(app) as client:
        problem_of(await client.get("/count"), 500)
        with pytest.raises(RuntimeError, match="APP_DATABASE_URL=memory:// has no database"):
            await get_async_sessionmaker(app)


async def test_a_session_can_be_overridden(app: FastAPI) -> None:
    @app.get("/session")
    async def session(session: Session) -> str:
        return str(session)

    app.dependency_overrides[get_async_session] = lambda: "another"

    async with client_of(app) as client:
        assert (await client.get("/session")).json() == "another"


async def test_an_unusable_client_is_not_needed(app: FastAPI) -> None:
    """A session that is never used takes no connection."""

    @app.get("/unused")
    async def unused(session: Session) -> None: ...

    async with client_of(app) as client:
        before = app.state.container.engine().pool.checkedout()
        assert isinstance(await client.get("/unused"), httpx.Response)
        assert app.state.container.engine().pool.checkedout() == before
