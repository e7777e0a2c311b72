"""The undocumented parts of FastAPI and Starlette that are used.

No other module imports one. `pyproject.toml` bounds both packages to the minor versions that were
tested, and `tests/kernel/unit/test_framework_internals.py` says what an upgrade broke.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields
from typing import Any

from fastapi import FastAPI
from fastapi._compat import ModelField
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.routing import RouteContext, _extract_endpoint_context, iter_route_contexts
from pydantic import ValidationError
from starlette._exception_handler import wrap_app_handling_exceptions
from starlette._utils import get_route_path
from starlette.middleware import Middleware
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import Request
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

__all__ = [
    "BODY_NOT_PARSED",
    "Dependant",
    "ModelField",
    "RouteContext",
    "add_innermost_middleware",
    "error_handlers_of",
    "get_route_path",
    "has_nothing_but",
    "included_routes",
    "invalid_body",
    "iter_route_contexts",
    "set_body",
    "with_error_handlers",
]

BODY_NOT_PARSED = "There was an error parsing the body"
"""FastAPI's detail for a body whose parsing failed with an error other than invalid JSON."""
_DEFAULTS = Dependant()


def has_nothing_but(dependant: Dependant, *names: str) -> bool:
    """Return whether all fields but these are empty, including fields that a new version adds."""
    return all(
        # An empty field is either missing or an empty list.
        (getattr(dependant, each.name) or None) == (getattr(_DEFAULTS, each.name) or None)
        for each in fields(Dependant)
        if each.name not in names
    )


def add_innermost_middleware(
    app: FastAPI, middleware: Callable[..., ASGIApp], **options: Any
) -> None:
    """Add middleware within all that was and will be added: `add_middleware` adds the outermost."""
    app.user_middleware.append(Middleware(middleware, **options))


def included_routes(routes: Sequence[BaseRoute]) -> Iterator[Sequence[BaseRoute]]:
    """Yield the list of routes of each included router, recursively."""
    for each in routes:
        if router := getattr(each, "original_router", None):
            yield router.routes
            yield from included_routes(router.routes)


def error_handlers_of(app: FastAPI) -> tuple[dict[Any, Any], dict[int, Any]]:
    """Return the app's current handlers of exceptions and of statuses."""
    # The others handle errors outside of routes.
    handlers = {k: h for k, h in app.exception_handlers.items() if k not in (500, Exception)}
    middleware = ExceptionMiddleware(app.router, handlers)
    return middleware._exception_handlers, middleware._status_handlers


def with_error_handlers(
    app: ASGIApp, request: Request, handlers: tuple[dict[Any, Any], dict[int, Any]]
) -> ASGIApp:
    """Return the app with error handlers around it twice, as FastAPI has them around a route."""
    request.scope["starlette.exception_handlers"] = handlers
    return wrap_app_handling_exceptions(wrap_app_handling_exceptions(app, request), request)


def set_body(request: Request, body: bytes) -> None:
    """Make `request.body()` return a body that was received already."""
    request._body = body


def invalid_body(
    error: ValidationError, body: object, declared: Dependant, request: Request
) -> RequestValidationError:
    """Return the error that FastAPI raises for an invalid body of an endpoint with one body."""
    errors = error.errors(include_url=False)
    for each in errors:  # FastAPI copies each error, which is slow
        each["loc"] = ("body", *each["loc"])
    endpoint = _extract_endpoint_context(declared.call) if declared.call else {}
    mounted_at = request.scope.get("root_path", "").rstrip("/")
    endpoint["path"] = f"{request.method} {mounted_at}{declared.path}"
    return RequestValidationError(errors, body=body, endpoint_ctx=endpoint)
