"""What every service has around its routes: middleware, error handlers, health checks, OpenAPI."""

from typing import Any

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline

from entrypoints.http.kernel import health
from entrypoints.http.kernel.addresses import is_below
from entrypoints.http.kernel.fast_path.fast_path import FastPath
from entrypoints.http.kernel.framework_internals import (
    add_innermost_middleware,
    iter_route_contexts,
)
from entrypoints.http.kernel.middleware.allowed_hosts import AllowedHosts
from entrypoints.http.kernel.middleware.authentication import Authentication
from entrypoints.http.kernel.middleware.body_limit import BodyLimit
from entrypoints.http.kernel.middleware.loopback_only import LoopbackOnly
from entrypoints.http.kernel.middleware.request_context import RequestContext
from entrypoints.http.kernel.middleware.request_deadline import RequestDeadline
from entrypoints.http.kernel.openapi import describe
from entrypoints.http.kernel.problems.error_handlers import add_error_handlers
from entrypoints.http.kernel.problems.outage_log import OutageLog
from entrypoints.http.kernel.routing.root_path import RootPath
from entrypoints.http.kernel.routing.routing_rules import RoutingRules
from entrypoints.kernel.api_keys import ApiKeys
from entrypoints.kernel.host_names import ANY
from entrypoints.kernel.service_settings import InvalidSettings, ServiceSettings


def new_app(settings: ServiceSettings, **options: Any) -> FastAPI:
    """Return `FastAPI(**options)`, set up as the settings say: with docs that need no network, or
    without any, and with FastAPI's telemetry or without."""
    return (FastAPIOffline if settings.docs_enabled else _without_docs)(
        redirect_slashes=False,
        telemetry=dict.fromkeys(("tracing", "metrics", "logs"), settings.telemetry_enabled),
        **options,
    )


def _without_docs(**options: Any) -> FastAPI:
    return FastAPI(openapi_url=None, **options)


def add_kernel(app: FastAPI, settings: ServiceSettings, *, any_server: bool = True) -> None:
    """Add to the app what every service has around its routes. Middleware that was added to the app
    before is within that of the kernel, and what is added later is around it.

    With `any_server` the app holds what it can of the limits that the server of `python -m
    entrypoints` holds by itself. Raises `InvalidSettings`."""
    keys = ApiKeys(settings.api_keys) if settings.api_keys else None
    if keys is not None and not len(keys):
        keys.warn_of_none()
    app.include_router(health.router)
    if not settings.telemetry_enabled:  # FastAPI's telemetry does not see requests on the fast path
        add_innermost_middleware(app, FastPath, fastapi=app)
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
        _assert_no_ambiguity(app, settings.root_path)
        app.add_middleware(RootPath, prefix=settings.root_path)
    add_error_handlers(app, outage_log)
    describe(app, wants_keys=keys is not None)


def _assert_no_ambiguity(app: FastAPI, prefix: str) -> None:
    """Raise `InvalidSettings` if a path begins with the prefix: it would be unknown whether the
    proxy has stripped the prefix."""
    if any(is_below(each.path or "", prefix) for each in iter_route_contexts(app.routes)):
        raise InvalidSettings(
            f"APP_ROOT_PATH: the app's own paths begin with {prefix} too. Leave it empty if the "
            "proxy adds no prefix to them, or choose another prefix."
        )
