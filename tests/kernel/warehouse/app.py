"""An app of the warehouse, composed as the project's own one is."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from operator import attrgetter
from typing import Any

from dependency_injector.containers import DeclarativeContainer
from dependency_injector.providers import Callable, Dependency, Selector, Singleton
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker

from adapters.kernel.system_clock import SystemClock
from adapters.kernel.uuid7_source import Uuid7Source
from application.kernel.idempotency import Idempotency
from application.kernel.registrations import complete
from entrypoints.http.kernel.lifespan import serving
from entrypoints.http.kernel.service import add_kernel, new_app
from entrypoints.kernel.background.readiness import Readiness
from entrypoints.kernel.container_parts import assert_replaceable, new_container
from entrypoints.kernel.project import project
from entrypoints.kernel.service_settings import ServiceSettings
from tests.kernel.warehouse.application import ProductService, ReadingUnitOfWork, UnitOfWork
from tests.kernel.warehouse.http import router
from tests.kernel.warehouse.storages import MemoryStorage, SqlStorage


class Container(DeclarativeContainer):
    settings = Dependency(instance_of=ServiceSettings)
    engine = Dependency(instance_of=AsyncEngine)
    clock = Singleton(SystemClock)
    ids = Singleton(Uuid7Source)
    sessionmaker = Singleton(async_sessionmaker, engine, expire_on_commit=False)
    storage = Selector(
        Callable(lambda settings: "memory" if settings.uses_memory else "sql", settings),
        memory=Singleton(MemoryStorage),
        sql=Singleton(SqlStorage, engine),
    )
    units_of_work = Callable(
        complete, storage.provided.units_of_work, ReadingUnitOfWork, UnitOfWork
    )
    readiness = Singleton(Readiness, Callable(attrgetter("check"), storage))
    product_service = Singleton(ProductService, units_of_work, clock, ids)
    idempotency = Singleton(
        Idempotency,
        units_of_work,
        clock,
        Callable(lambda settings: timedelta(hours=settings.idempotency_key_hours), settings),
    )


def create_app(settings: ServiceSettings, *, any_server: bool = True, **overrides: Any) -> FastAPI:
    """Return the app; an override replaces what the container would make under that name."""
    assert_replaceable(Container, overrides)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with serving(app, settings, new_container(Container, settings, **overrides)):
            yield

    app = new_app(settings, title="Warehouse", version=project().version, lifespan=lifespan)
    app.include_router(router)
    add_kernel(app, settings, any_server=any_server)
    return app
