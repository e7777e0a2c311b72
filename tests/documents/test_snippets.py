"""The routes and calls that the documents show work, on each SQL database."""

import ast
import asyncio
import re
import textwrap
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, Depends, FastAPI
from sqlalchemy import (
    Column,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    func,
    insert,
    select,
    text,
)
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker
from starlette.responses import StreamingResponse
from structlog.testing import capture_logs

from adapters.sql.kernel.idempotency_records import idempotency_records
from entrypoints.http.app import create_app
from entrypoints.http.dependencies import get_async_session, get_async_sessionmaker
from entrypoints.settings import AppSettings
from tests.documents.test_references import ROOT, documents
from tests.kernel.database_settings import engine_for
from tests.kernel.integration.service import client_of, settings_for

SNIPPET = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
books = Table(
    "books",
    MetaData(),
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("title", String(50)),
    Column("sequel_of", ForeignKey("books.id", deferrable=True, initially="DEFERRED")),
)


def snippets(page: str) -> str:
    return "\n".join(SNIPPET.findall(_page(page)))


def run(source: str, **names: Any) -> SimpleNamespace:
    """Return what the source defines."""
    known: dict[str, Any] = {**globals(), **names}
    exec(compile(source, "<docs>", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), known)
    return SimpleNamespace(**known)


@pytest.fixture(autouse=True)
def _quick_log() -> Iterator[None]:
    """To render tracebacks would take long."""
    with capture_logs():
        yield


@pytest.fixture
def app(database_url: str) -> FastAPI:
    app = create_app(settings_for(database_url))

    @app.post("/books/table")
    async def create(session: Annotated[AsyncSession, Depends(get_async_session)]) -> None:
        connection = await session.connection()
        await connection.run_sync(books.metadata.drop_all)
        await connection.run_sync(books.metadata.create_all)
        await session.commit()

    return app


@pytest.mark.parametrize("document", documents(), ids=lambda document: document.name)
def test_what_is_shown_as_python_is_python(document: Any) -> None:
    for snippet in SNIPPET.findall(document.read_text("utf-8")):
        compile(textwrap.dedent(snippet), document.name, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


async def test_routes_of_the_recipes(app: FastAPI) -> None:
    router = APIRouter()
    session = Annotated[AsyncSession, Depends(get_async_session)]
    routes = [each for each in SNIPPET.findall(_recipes()) if each.startswith("@router")]
    run("\n".join(routes), router=router, Session=session)
    app.include_router(router)

    async with client_of(app) as client:
        await client.post("/books/table")
        imported = await client.post("/books/import", json=["Emma", "Persuasion", "Emma again"])
        count = await client.get("/books/count", params={"title": "Emma"})
        lines = await client.get("/books.csv")

    assert imported.json() == 3
    assert count.json() == 2
    assert lines.text.splitlines() == ['"Emma"', '"Persuasion"', '"Emma again"']


async def test_plain_sessions_of_the_architecture_page(app: FastAPI) -> None:
    router = APIRouter()
    shown = run(snippets("architecture.md"), **{"router": router, _counted_table(): books})

    @router.post("/books")
    async def add(session: shown.Committed, sequel_of: int | None = None) -> None:  # type: ignore[name-defined]
        await session.execute(insert(books).values(title="Emma", sequel_of=sequel_of))

    app.include_router(router)
    async with client_of(app) as client:
        await client.post("/books/table")
        assert (await client.post("/books")).status_code == 200
        # The commit fails, and the response says so.
        assert (await client.post("/books?sequel_of=7")).status_code == 409
        assert (await client.get("/count")).json() == 1
        assert await shown.count_items(app) == 1


async def test_a_script_as_the_architecture_page_shows(
    sqlite_file_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("APP_DATABASE_URL", sqlite_file_url)

    names = {"router": APIRouter(), _counted_table(): idempotency_records}
    await run(snippets("architecture.md"), **names).main()

    assert capsys.readouterr().out == "0\n"


async def test_a_rollback_after_each_test_as_the_testing_page_shows(app: FastAPI) -> None:
    (shown,) = [each for each in SNIPPET.findall(_page("testing.md")) if "rolled_back" in each]
    rolled_back = run(shown).rolled_back

    @app.post("/books")
    async def add(session: Annotated[AsyncSession, Depends(get_async_session)]) -> int:
        await session.execute(insert(books).values(title="Emma"))
        await session.commit()
        return await session.scalar(select(func.count()).select_from(books)) or 0

    async with client_of(app) as client:
        await client.post("/books/table")
        async with rolled_back(app):
            assert [(await client.post("/books")).json() for _ in range(2)] == [1, 2]
        app.dependency_overrides.clear()
        assert (await client.post("/books")).json() == 1


async def test_the_listener_and_the_tenant_of_the_recipes(postgresql_url: str) -> None:
    listener, tenant = [each for each in SNIPPET.findall(_recipes()) if "@router" not in each]
    listen = run(listener, Callable=Callable, AsyncEngine=AsyncEngine).listen
    engine = engine_for(postgresql_url)
    make_session = async_sessionmaker(engine)
    heard: asyncio.Queue[str] = asyncio.Queue()

    def on_event(*event: Any) -> None:
        heard.put_nowait(event[-1])

    listening = asyncio.create_task(listen(engine, on_event))
    async with make_session() as session:
        while heard.empty():
            await session.execute(text("NOTIFY books, '42'"))
            await session.commit()
            await asyncio.sleep(0)
        assert await heard.get() == "42"

        code = compile(tenant, "<docs>", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        names = {"session": session, "text": text, "tenant": "warehouse"}
        await eval(code, names)
        setting = text("SELECT current_setting('app.tenant')")
        assert await session.scalar(setting) == "warehouse"
        await session.commit()
        assert await session.scalar(setting) == ""

    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    await engine.dispose()


def _counted_table() -> str:
    """Return the table whose rows the page on the architecture counts, whichever it is."""
    return str(re.findall(r"select_from\((\w+)\)", _page("architecture.md"))[0])


def _page(name: str) -> str:
    return (ROOT / "docs" / name).read_text("utf-8")


def _recipes() -> str:
    return _page("recipes.md")


_USED_BY_SNIPPETS = (
    AppSettings,
    AsyncIterator,
    StreamingResponse,
    asynccontextmanager,
    func,
    get_async_sessionmaker,
    select,
)
