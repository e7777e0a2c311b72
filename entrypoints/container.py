"""The composition root: which adapter keeps which port."""

from datetime import timedelta
from operator import attrgetter

from dependency_injector.containers import DeclarativeContainer
from dependency_injector.providers import Callable, Dependency, Selector, Singleton
from sqlalchemy.ext.asyncio import async_sessionmaker

from adapters.kernel.system_clock import SystemClock
from adapters.kernel.uuid7_source import Uuid7Source
from adapters.memory.kernel.storage import MemoryStorage
from adapters.sql.kernel.engine import init_database
from adapters.sql.kernel.storage import SqlStorage
from application.example_items.service import ExampleItemService
from application.kernel.idempotency import Idempotency
from entrypoints.http.kernel.background.readiness import Readiness
from entrypoints.settings import AppSettings


def _key_lifetime(settings: AppSettings) -> timedelta:
    return timedelta(hours=settings.idempotency_key_hours)


def _kind_of_storage(settings: AppSettings) -> str:
    return "memory" if settings.uses_memory else "sql"


class Container(DeclarativeContainer):
    """Everything that one app is made of. `create_app` makes one for each app, so that two apps
    in one process share nothing."""

    settings = Dependency(instance_of=AppSettings)
    clock = Singleton(SystemClock)
    ids = Singleton(Uuid7Source)

    engine = Singleton(init_database, settings)
    sessionmaker = Singleton(async_sessionmaker, engine, expire_on_commit=False)

    storage = Selector(
        Callable(_kind_of_storage, settings),
        memory=Singleton(MemoryStorage),
        sql=Singleton(SqlStorage, engine),
    )
    units_of_work = Callable(attrgetter("units_of_work"), storage)
    readiness = Singleton(Readiness, Callable(attrgetter("check"), storage))

    example_item_service = Singleton(ExampleItemService, units_of_work, clock, ids)
    idempotency = Singleton(Idempotency, units_of_work, clock, Callable(_key_lifetime, settings))
