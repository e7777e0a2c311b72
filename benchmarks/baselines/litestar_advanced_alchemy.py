"""Litestar with advanced-alchemy's repository and service, the way their documentation teaches."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from advanced_alchemy.base import DefaultBase
from advanced_alchemy.exceptions import RepositoryError
from advanced_alchemy.extensions.litestar import (
    AsyncSessionConfig,
    EngineConfig,
    SQLAlchemyAsyncConfig,
    SQLAlchemyPlugin,
)
from advanced_alchemy.extensions.litestar.providers import create_service_dependencies
from advanced_alchemy.filters import LimitOffset, OrderBy
from advanced_alchemy.mixins import AuditColumns
from advanced_alchemy.repository import SQLAlchemyAsyncRepository
from advanced_alchemy.service import SQLAlchemyAsyncRepositoryService
from litestar import Controller, Litestar, Response, get, patch, post
from litestar.exceptions import HTTPException
from litestar.params import Parameter
from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column
from uuid_utils.compat import uuid7

from benchmarks.baselines.environment import DATABASE_URL, POOL_SIZE
from benchmarks.baselines.server import serve
from benchmarks.baselines.sqlite_durability import make_durable
from benchmarks.resource import PREFIX, TABLE


class Item(DefaultBase, AuditColumns):
    """As UUIDv7AuditBase makes it, without its fourth column, a sentinel."""

    __tablename__ = TABLE

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    name: Mapped[str] = mapped_column(String(200))
    description: Mapped[str | None] = mapped_column(String(2000))
    version: Mapped[int] = mapped_column()

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012


class ItemCreate(msgspec.Struct):
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    description: Annotated[str, msgspec.Meta(max_length=2000)] | None = None


class ItemUpdate(msgspec.Struct):
    description: Annotated[str, msgspec.Meta(max_length=2000)] | None


class ItemRead(msgspec.Struct):
    id: UUID
    name: str
    description: str | None
    version: int
    created_at: datetime
    updated_at: datetime


class ItemService(SQLAlchemyAsyncRepositoryService[Item]):
    class Repository(SQLAlchemyAsyncRepository[Item]):
        model_type = Item

    repository_type = Repository


class ItemController(Controller):
    path = PREFIX
    dependencies = create_service_dependencies(ItemService, "items")

    @get("/")
    async def list_items(
        self,
        items: ItemService,
        limit: Annotated[int, Parameter(query="limit", le=100)] = 50,
    ) -> list[ItemRead]:
        found = await items.list(OrderBy("id"), LimitOffset(limit, 0))
        return list(items.to_schema(found, schema_type=ItemRead).items)

    @post("/")
    async def create_item(self, items: ItemService, data: ItemCreate) -> Response[ItemRead]:
        item = await items.create(data)
        headers = {"Location": f"{PREFIX}/{item.id}", "ETag": f'"{item.version}"'}
        return Response(items.to_schema(item, schema_type=ItemRead), headers=headers)

    @get("/{item_id:uuid}")
    async def get_item(self, items: ItemService, item_id: UUID) -> Response[ItemRead]:
        item = await items.get(item_id)
        headers = {"ETag": f'"{item.version}"'}
        return Response(items.to_schema(item, schema_type=ItemRead), headers=headers)

    @patch("/{item_id:uuid}")
    async def change_item(
        self,
        items: ItemService,
        item_id: UUID,
        data: ItemUpdate,
        if_match: Annotated[str, Parameter(header="If-Match")],
    ) -> Response[ItemRead]:
        item = await items.get(item_id)
        if if_match != f'"{item.version}"':
            raise HTTPException(status_code=412)
        try:
            item = await items.update(data, item_id=item_id)
        except RepositoryError:
            raise HTTPException(status_code=412) from None
        headers = {"ETag": f'"{item.version}"'}
        return Response(items.to_schema(item, schema_type=ItemRead), headers=headers)


@get("/health/live")
async def live() -> dict[str, str]:
    return {"status": "ok"}


configuration = SQLAlchemyAsyncConfig(
    connection_string=DATABASE_URL,
    engine_config=EngineConfig(pool_size=POOL_SIZE, max_overflow=0),
    session_config=AsyncSessionConfig(expire_on_commit=False),
    before_send_handler="autocommit",
    create_all=True,
)
make_durable(configuration.get_engine())

app = Litestar(
    route_handlers=[ItemController, live],
    plugins=[SQLAlchemyPlugin(config=configuration)],
    openapi_config=None,
)

if __name__ == "__main__":
    serve(app)
