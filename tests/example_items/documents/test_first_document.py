"""The names of docs/first-document.md are there, and do what a reader of it expects."""

import re

import httpx
import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from adapters.sql.example_items.schema import create_example_schema
from adapters.sql.example_items.table import example_items
from adapters.sql.kernel.engine import init_database
from application.example_items.service import ExampleItemService
from domain.example_item import ExampleItem
from entrypoints.http.app import create_app
from entrypoints.http.dependencies import get_async_session, get_async_sessionmaker
from entrypoints.http.example_items.schemas import ExampleItemCreate, ExampleItemRead
from entrypoints.settings import AppSettings
from tests.kernel.integration.service import PROJECT, client_of, in_memory_only, settings_for

PAGE = (PROJECT / "docs" / "first-document.md").read_text("utf-8")
ITEMS = "/api/v1/examples/database-example/"
NAMED = (
    AppSettings,
    ExampleItem,
    ExampleItemCreate,
    ExampleItemRead,
    ExampleItemService,
    create_example_schema,
    get_async_session,
    get_async_sessionmaker,
    init_database,
)


def test_the_page_names_each() -> None:
    named = set(re.findall(r"[A-Za-z_]+", PAGE))

    # The alias has the name of what it stands for.
    names = {each.__name__ for each in NAMED} - {"upgrade_embedded_database"}
    assert names | {"create_example_schema"} <= named


def test_the_settings_have_the_names_and_the_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = AppSettings(_env_file=None)
    assert settings.database_url.get_secret_value() == "sqlite+aiosqlite:///./app.db"
    assert settings.database_pool_size == 5
    assert settings.database_echo is False

    monkeypatch.setenv("APP_DATABASE_POOL_SIZE", "7")
    assert AppSettings(_env_file=None).database_pool_size == 7


async def test_the_engine_and_the_schema(sqlite_file_url: str) -> None:
    engine = await init_database(settings_for(sqlite_file_url))
    await create_example_schema(engine)

    assert isinstance(engine, AsyncEngine)
    async with engine.connect() as connection:
        assert (await connection.execute(select(example_items))).all() == []
    await engine.dispose()


async def test_sessions_of_a_worker(sqlite_in_memory_url: str) -> None:
    app = create_app(settings_for(sqlite_in_memory_url))
    async with client_of(app) as client:
        await client.post(ITEMS, json={"name": "lamp"})
        sessionmaker = await get_async_sessionmaker(app)
        async with sessionmaker() as session:
            assert isinstance(session, AsyncSession)
            assert (await session.scalars(select(example_items.c.name))).all() == ["lamp"]


@in_memory_only
async def test_the_routes(async_client: httpx.AsyncClient) -> None:
    payload = ExampleItemCreate(name="lamp")

    created = await async_client.post(ITEMS, json=payload.model_dump(mode="json"))
    item = ExampleItemRead.model_validate(created.json())

    assert created.status_code == 201
    assert (await async_client.get(f"{ITEMS}{item.id}")).json() == created.json()
    assert (await async_client.get(ITEMS)).json() == [created.json()]


async def test_the_container_makes_the_service() -> None:
    app = create_app(settings_for("memory://"))
    async with client_of(app):
        service = app.state.container.example_item_service()
        assert isinstance(service, ExampleItemService)
        item = await service.create("lamp")
        assert ExampleItemRead.model_validate(item).name == "lamp"
