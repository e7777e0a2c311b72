"""The app: routes, error handlers, middleware, and the lifespan that holds the container."""

import gc
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import structlog
from dependency_injector.providers import Object
from fastapi import FastAPI
from fastapi_offline import FastAPIOffline

from entrypoints.container import Container
from entrypoints.http.example_items.routes import router as example_items
from entrypoints.http.kernel import health
from entrypoints.http.kernel.background.background_task import background_task
from entrypoints.http.kernel.background.idempotency_purge import purge_periodically
from entrypoints.http.kernel.fast_path.fast_path import FastPath
from entrypoints.http.kernel.framework_internals import iter_route_contexts
from entrypoints.http.kernel.middleware.allowed_hosts import AllowedHosts
from entrypoints.http.kernel.middleware.authentication import Authentication
from entrypoints.http.kernel.middleware.body_limit import BodyLimit
from entrypoints.http.kernel.middleware.loopback_only import LoopbackOnly
from entrypoints.http.kernel.middleware.request_context import RequestContext
from entrypoints.http.kernel.middleware.request_deadline import RequestDeadline
from entrypoints.http.kernel.openapi import describe
from entrypoints.http.kernel.problems.error_handlers import add_error_handlers
from entrypoints.http.kernel.problems.outage_log import OutageLog
from entrypoints.http.kernel.routing.addresses import is_below
from entrypoints.http.kernel.routing.root_path import RootPath
from entrypoints.http.kernel.routing.routing_rules import RoutingRules
from entrypoints.http.kernel.start import log_start, noting_failures
from entrypoints.kernel.api_keys import ApiKeys
from entrypoints.kernel.host_names import ANY
from entrypoints.kernel.logging import configure_logging
from entrypoints.settings import (
    AppSettings,
    InvalidSettings,
    settings_from_environment,
    unknown_settings,
)

CANNOT_START = 3
"""The exit code that uvicorn and gunicorn know: a worker that ends with it is not started again."""
WITHOUT = (
    "limits to the size of URLs and header fields, limits to the time that a request takes to "
    "arrive and a response to be read, the cancellation of work for clients that hung up, and the "
    "draining of connections at shutdown"
)
_log = structlog.get_logger("entrypoints.http")


def create_app(settings: AppSettings, *, any_server: bool = True, **overrides: Any) -> FastAPI:
    """Return the app. An override puts an object in the place of what the container of that name
    would make: `create_app(settings, clock=FixedClock(...))`.

    The app holds what it can of the limits that the server of `python -m entrypoints` holds by
    itself; `any_server=False` leaves them to that one. Raises `InvalidSettings`, and `TypeError`
    for the name of an override that the container does not have."""
    if unknown := overrides.keys() - Container.providers.keys():
        raise TypeError(
            f"create_app() cannot override {', '.join(sorted(unknown))}: the container has "
            f"{', '.join(sorted(Container.providers))}"
        )
    keys = ApiKeys(settings.api_keys) if settings.api_keys else None

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        container = Container(settings=settings)
        container.override_providers(
            **{name: Object(replacement) for name, replacement in overrides.items()}
        )
        app.state.container = container
        if keys is not None and not len(keys):
            keys.warn_of_none()
        with noting_failures(app, settings):
            storage = container.storage()
        try:
            with noting_failures(app, settings):
                await storage.open()
            log_start(app, settings)
            async with (
                background_task(container.readiness().keep_checking),
                background_task(partial(purge_periodically, container.idempotency())),
            ):
                yield
        finally:
            await storage.close()

    app = (FastAPIOffline if settings.docs_enabled else _without_docs)(
        title="Async database service",
        version="0.1.0",
        summary="Example items, kept in SQLite or PostgreSQL.",
        lifespan=lifespan,
        redirect_slashes=False,
        telemetry=dict.fromkeys(("tracing", "metrics", "logs"), settings.telemetry_enabled),
    )
    app.include_router(example_items)
    app.include_router(health.router)
    if not settings.telemetry_enabled:  # FastAPI reports only what goes its way
        app.add_middleware(FastPath, fastapi=app)
    app.add_middleware(RoutingRules, fastapi=app)
    if any_server:
        app.add_middleware(BodyLimit, max_bytes=settings.max_body_bytes)
    if keys is not None:
        app.add_middleware(Authentication, keys=keys)
    elif any_server and not settings.allow_anonymous:
        app.add_middleware(LoopbackOnly)
    if ANY not in settings.host_names:
        app.add_middleware(AllowedHosts, hosts=settings.host_names)
    outage_log = OutageLog()
    app.add_middleware(
        RequestDeadline, seconds=settings.request_deadline_seconds, outage_log=outage_log
    )
    app.add_middleware(RequestContext)
    if settings.root_path:
        _refuse_ambiguity(app, settings.root_path)
        app.add_middleware(RootPath, prefix=settings.root_path)
    add_error_handlers(app, outage_log)
    describe(app, wants_keys=keys is not None)
    return app


def _refuse_ambiguity(app: FastAPI, prefix: str) -> None:
    """A proxy that strips the prefix could not be told from one that does not."""
    if any(is_below(each.path or "", prefix) for each in iter_route_contexts(app.routes)):
        raise InvalidSettings(
            f"APP_ROOT_PATH: the app's own paths begin with {prefix} too. Leave it empty if the "
            "proxy adds no prefix to them, or choose another prefix."
        )


def _without_docs(**options: Any) -> FastAPI:
    return FastAPI(openapi_url=None, **options)


def app_from_environment() -> FastAPI:
    """Return the app as the environment sets it, for any ASGI server that imports it by name:
    `uvicorn --factory entrypoints.http.app:app_from_environment`.

    Ends the process if it cannot: a traceback says less than one line does."""
    app = _app(any_server=True)
    _log.warning("served by another server than python -m entrypoints", without=WITHOUT)
    return app


def app_for_own_server() -> FastAPI:
    """Return the same app for `entrypoints.kernel.server.server`, which has the limits itself."""
    return _app(any_server=False)


def _app(*, any_server: bool) -> FastAPI:
    configure_logging()
    try:
        app = create_app(settings_from_environment(), any_server=any_server)
    except InvalidSettings as error:
        _log.critical("the service cannot start", reason=str(error))
        sys.exit(CANNOT_START)
    for sentence in unknown_settings():
        _log.warning("unknown setting", reason=sentence)
    # What was made to last needs no looking through by every later collection, which would
    # stop all requests for as long as it takes.
    gc.collect()
    gc.freeze()
    # The youngest are looked through when there are so many of them, not 700: requests under way
    # hold more than that, which would be looked through again and again.
    gc.set_threshold(10_000)
    return app
