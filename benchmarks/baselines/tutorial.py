"""FastAPI and the SQLAlchemy ORM, the way their documentation teaches them."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar
from uuid import UUID

from fastapi import Depends, FastAPI, Header, HTTPException, Query, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import DateTime, Dialect, String, TypeDecorator, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.orm.exc import StaleDataError
from uuid_utils.compat import uuid7

from benchmarks.baselines.environment import DATABASE_URL, POOL_SIZE
from benchmarks.baselines.server import serve
from benchmarks.baselines.sqlite_durability import make_durable
from benchmarks.resource import PREFIX, TABLE

engine = create_async_engine(DATABASE_URL, pool_size=POOL_SIZE, max_overflow=0)
make_durable(engine)
async_session = async_sessionmaker(engine, expire_on_commit=False)


class TZDateTime(TypeDecorator[datetime]):
    """SQLite keeps no time zone: SQLAlchemy's own recipe for aware times."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        return value.astimezone(UTC).replace(tzinfo=None) if value else None

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        return value.replace(tzinfo=UTC) if value else None


def now() -> datetime:
    return datetime.now(UTC)


class Base(DeclarativeBase):
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: DateTime(timezone=True).with_variant(TZDateTime(), "sqlite")
    }


class Item(Base):
    __tablename__ = TABLE

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    name: Mapped[str] = mapped_column(String(200))
    description: Mapped[str | None] = mapped_column(String(2000))
    version: Mapped[int] = mapped_column()
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012


class ItemCreate(BaseModel):
    name: str = Field(min_length=1, max_length=200)
    description: str | None = Field(default=None, max_length=2000)


class ItemUpdate(BaseModel):
    description: str | None = Field(max_length=2000)


class ItemRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    description: str | None
    version: int
    created_at: datetime
    updated_at: datetime


async def get_session() -> AsyncIterator[AsyncSession]:
    async with async_session() as session:
        yield session


Session = Annotated[AsyncSession, Depends(get_session)]


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    yield
    await engine.dispose()


app = FastAPI(lifespan=lifespan)


@app.get("/health/live")
async def live() -> dict[str, str]:
    return {"status": "ok"}


@app.get(f"{PREFIX}/", response_model=list[ItemRead])
async def list_items(
    session: Session, offset: int = 0, limit: Annotated[int, Query(le=100)] = 50
) -> Sequence[Item]:
    statement = select(Item).order_by(Item.id).offset(offset).limit(limit)
    return (await session.scalars(statement)).all()


@app.post(f"{PREFIX}/", response_model=ItemRead, status_code=201)
async def create_item(wanted: ItemCreate, session: Session, response: Response) -> Item:
    item = Item(**wanted.model_dump())
    session.add(item)
    await session.commit()
    await session.refresh(item)
    response.headers["Location"] = f"{PREFIX}/{item.id}"
    response.headers["ETag"] = f'"{item.version}"'
    return item


@app.get(f"{PREFIX}/{{item_id}}", response_model=ItemRead)
async def get_item(item_id: UUID, session: Session, response: Response) -> Item:
    item = await session.get(Item, item_id)
    if item is None:
        raise HTTPException(404)
    response.headers["ETag"] = f'"{item.version}"'
    return item


@app.patch(f"{PREFIX}/{{item_id}}", response_model=ItemRead)
async def change_item(
    item_id: UUID,
    wanted: ItemUpdate,
    if_match: Annotated[str, Header()],
    session: Session,
    response: Response,
) -> Item:
    item = await session.get(Item, item_id)
    if item is None:
        raise HTTPException(404)
    if if_match != f'"{item.version}"':
        raise HTTPException(412)
    for name, value in wanted.model_dump(exclude_unset=True).items():
        setattr(item, name, value)
    try:
        await session.commit()
    except StaleDataError:
        raise HTTPException(412) from None
    await session.refresh(item)
    response.headers["ETag"] = f'"{item.version}"'
    return item


if __name__ == "__main__":
    serve(app)
