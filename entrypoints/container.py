"""The composition root: which adapter implements which port."""

from datetime import timedelta
from operator import attrgetter
from typing import Any

from dependency_injector.containers import DeclarativeContainer
from dependency_injector.providers import Callable, Dependency, Selector, Singleton
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker

from adapters.kernel.system_clock import SystemClock
from adapters.kernel.uuid7_source import Uuid7Source
from adapters.memory.kernel.storage import MemoryStorage
from adapters.memory.unit_of_work import MemoryUnitOfWork
from adapters.sql.kernel.storage import SqlStorage
from adapters.sql.unit_of_work import SqlReadingUnitOfWork, SqlUnitOfWork, metadata
from application.example_items.service import ExampleItemService
from application.kernel.idempotency import Idempotency
from application.kernel.registrations import complete
from application.unit_of_work import ReadingUnitOfWork, UnitOfWork
from entrypoints.kernel.background.readiness import Readiness
from entrypoints.kernel.container_parts import new_container
from entrypoints.settings import AppSettings


def _key_lifetime(settings: AppSettings) -> timedelta:
    return timedelta(hours=settings.idempotency_key_hours)


def _kind_of_storage(settings: AppSettings) -> str:
    return "memory" if settings.uses_memory else "sql"


class Container(DeclarativeContainer):
    """The parts of one app. The app's lifespan creates one container, so that two apps in one
    process share nothing."""

    settings = Dependency(instance_of=AppSettings)
    engine = Dependency(instance_of=AsyncEngine)
    clock = Singleton(SystemClock)
    ids = Singleton(Uuid7Source)

    sessionmaker = Singleton(async_sessionmaker, engine, expire_on_commit=False)

    storage = Selector(
        Callable(_kind_of_storage, settings),
        memory=Singleton(MemoryStorage, MemoryUnitOfWork),
        sql=Singleton(SqlStorage, engine, metadata, SqlReadingUnitOfWork, SqlUnitOfWork),
    )
    units_of_work = Callable(
        complete, storage.provided.units_of_work, ReadingUnitOfWork, UnitOfWork
    )
    readiness = Singleton(Readiness, Callable(attrgetter("check"), storage))

    example_item_service = Singleton(ExampleItemService, units_of_work, clock, ids)
    idempotency = Singleton(Idempotency, units_of_work, clock, Callable(_key_lifetime, settings))


async def init_container(settings: AppSettings, **overrides: Any) -> Container:
    """Return a container, in which an override replaces the part with its name."""
    return await new_container(Container, settings, **overrides)
