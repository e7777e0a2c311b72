"""The lifespan of an app: it opens the storage, runs background tasks and closes the storage."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import Protocol

import structlog
from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from application.kernel.idempotency import Idempotency
from application.kernel.registrations import NotRegistered
from entrypoints.http.kernel.provided import assert_provided
from entrypoints.kernel.background.background_task import background_task
from entrypoints.kernel.background.idempotency_purge import purge_periodically
from entrypoints.kernel.background.readiness import Readiness
from entrypoints.kernel.failures import reason
from entrypoints.kernel.service_settings import ServiceSettings

_log = structlog.get_logger("entrypoints.http")


class Storage(Protocol):
    """The storage of units of work, from the start of the app to its shutdown."""

    async def open(self) -> None: ...

    async def check(self) -> None:
        """Raise unless it can be used."""
        ...

    async def close(self) -> None: ...


class ServiceContainer(Protocol):
    """The parts of the app's container that the kernel uses."""

    @property
    def storage(self) -> Callable[[], Storage]: ...

    @property
    def units_of_work(self) -> Callable[[], object]: ...

    @property
    def readiness(self) -> Callable[[], Readiness]: ...

    @property
    def idempotency(self) -> Callable[[], Idempotency]: ...


@asynccontextmanager
async def serving(
    app: FastAPI, settings: ServiceSettings, container: Awaitable[ServiceContainer]
) -> AsyncIterator[None]:
    """Keep the container in `app.state.container`, and its storage open, while the block lasts.

    A failure to open it is logged in one line, which has no secret. Raises `NotRegistered` before
    it is opened if a route or a port needs what was not registered."""
    with _recording_failure(app, settings):
        app.state.container = made = await container
        storage = made.storage()
    try:
        with _recording_failure(app, settings):
            assert_provided(app, made)
            made.units_of_work()  # it raises if a repository is missing
            await storage.open()
        _log_start(app, settings)
        async with (
            background_task(made.readiness().keep_checking),
            background_task(partial(purge_periodically, made.idempotency())),
        ):
            yield
    finally:
        await storage.close()


def _log_start(app: FastAPI, settings: ServiceSettings) -> None:
    """Log what this process serves, without a secret."""
    _log.info(
        "service started",
        version=app.version,
        database=settings.database_label,
        host=settings.host,
        port=settings.port,
        workers=settings.workers,
    )


@contextmanager
def _recording_failure(app: FastAPI, settings: ServiceSettings) -> Iterator[None]:
    """Record the reason of a failure for `run_lifespan`."""
    try:
        yield
    except NotRegistered as error:
        app.state.why_it_cannot_start = f"the service cannot start: {error}"
        raise
    except Exception as error:
        app.state.why_it_cannot_start = (
            f"the service cannot start: the database {settings.database_label} cannot be used: "
            f"{reason(error)}"
        )
        raise


async def run_lifespan(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Run the app's lifespan. If the start fails, the server logs the message that it gets: replace
    Starlette's traceback by the reason in one line."""

    async def send_reason(message: Message) -> None:
        why_not = getattr(scope["app"].state, "why_it_cannot_start", None)
        if message["type"] == "lifespan.startup.failed" and why_not:
            message["message"] = why_not
        await send(message)

    await app(scope, receive, send_reason)
