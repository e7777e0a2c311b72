"""The fast path for requests: it calls endpoints with plain arguments without FastAPI's
machinery."""

from collections.abc import Awaitable, Callable
from typing import Any, cast

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.middleware.asyncexitstack import AsyncExitStackMiddleware
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from entrypoints.http.kernel.fast_path.fast_arguments import (
    FastArguments,
    is_plain_coroutine_function,
)
from entrypoints.http.kernel.framework_internals import error_handlers_of, with_error_handlers
from entrypoints.http.kernel.routing.effective_routes import EffectiveRoute, Found

_HOW_TO_RESPOND = (
    "response_model",
    "status_code",
    "response_class",
    "response_model_include",
    "response_model_exclude",
    "response_model_by_alias",
    "response_model_exclude_unset",
    "response_model_exclude_defaults",
    "response_model_exclude_none",
)


class FastPath:
    """Pure ASGI middleware, the innermost. It is only an optimization.

    It calls the endpoint itself if the route has a plain shape and the request is valid; for an
    invalid JSON body it raises FastAPI's error. A plain endpoint is an `async def` that is
    annotated to return a `Response`. Its arguments are path, query and header parameters, one JSON
    body, the request, and dependencies that are an `async def` with the request or nothing as
    argument. Everything else, also a request with another error, is passed on to FastAPI.
    `RoutingRules` has stored the route in the scope.
    """

    def __init__(self, app: ASGIApp, fastapi: FastAPI) -> None:
        self._app = app
        self._fastapi = fastapi
        # FastAPI also uses the handlers that exist when it is first called.
        self._handlers = error_handlers_of(fastapi)
        self._routes: dict[EffectiveRoute, _FastRoute | None] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found: Found | None = scope.get("effective_route")
        route = self._fast_route_of(found) if found and found[1] is not None else None
        if route is None or self._fastapi.dependency_overrides:
            await self._app(scope, receive, send)
            return
        received: list[Message | Exception] = []
        body = await _whole_body(receive, received) if route.takes_body else None
        request = Request(scope, receive, send)
        arguments = route.arguments_of(request, body)
        if arguments is None:
            await self._app(scope, _receiving(received, receive), send)
            return
        try:
            response: ASGIApp = await route.call(request, arguments)
        except Exception as error:
            response = _raising(error)
        if type(response) is not Response or response.background:
            response = with_error_handlers(response, request, self._handlers)
        await response(scope, receive, send)

    def _fast_route_of(self, found: Found) -> "_FastRoute | None":
        try:
            return self._routes[found[0]]
        except KeyError:
            self._routes[found[0]] = fast = _FastRoute.of(found[0], self._fastapi)
            return fast


class _FastRoute:
    def __init__(self, route: EffectiveRoute, fastapi: FastAPI) -> None:
        self._route = route
        self._endpoint = cast(Callable[..., Awaitable[Any]], route.declared.endpoint)
        self._arguments = FastArguments(route.declared.dependant, route.declared.param_convertors)
        self._noted = {
            "endpoint": self._endpoint,
            "route": route.declared.original_route,
            "router": fastapi.router,
        }
        self.takes_body = self._arguments.takes_body

    @classmethod
    def of(cls, route: EffectiveRoute, fastapi: FastAPI) -> "_FastRoute | None":
        """Return the fast route, or None if the route does not have a plain shape."""
        declared = route.declared
        is_plain = (
            type(declared.original_route) is APIRoute
            and not route.is_mounted
            and route.returns_response
            and is_plain_coroutine_function(declared.endpoint)
            and declared.max_body_size is None
            and declared.dependency_overrides_provider in (None, fastapi)
            and FastArguments.are_enough_for(declared.dependant, declared.param_convertors)
        )
        return cls(route, fastapi) if is_plain else None

    def arguments_of(
        self, request: Request, body: bytes | None
    ) -> dict[str, Any] | RequestValidationError | None:
        """Return the arguments without those of dependencies, or the error to raise after the
        dependencies were called. Return None if FastAPI has to handle the request."""
        if self.takes_body and body is None:
            return None
        scope = request.scope
        scope.update(self._noted)
        path_params = scope["effective_route"][1]
        if "path_params" in scope:  # from an app that this one is mounted in
            path_params = scope["path_params"] | path_params
        scope["path_params"] = path_params
        try:
            return self._arguments.read(request, body)
        except Exception:  # FastAPI will raise it again.
            return None

    async def call(
        self, request: Request, found: dict[str, Any] | RequestValidationError
    ) -> ASGIApp:
        """Call the endpoint and return its response."""
        arguments = found if isinstance(found, dict) else {}
        for name, dependency, request_name in self._arguments.dependencies:
            value = await (dependency(**{request_name: request}) if request_name else dependency())
            if name:
                arguments[name] = value
        if isinstance(found, RequestValidationError):
            raise found
        result = await self._endpoint(**arguments)
        return result if isinstance(result, Response) else self._made_by_fastapi(result)

    def _made_by_fastapi(self, result: Any) -> ASGIApp:
        """Return an app that responds with the result of an endpoint that did not return a
        `Response`."""

        async def endpoint() -> Any:
            return result

        how = {name: getattr(self._route.declared, name) for name in _HOW_TO_RESPOND}
        return AsyncExitStackMiddleware(APIRoute("/", endpoint, **how).app)


async def _whole_body(receive: Receive, received: list[Message | Exception]) -> bytes | None:
    """Return the body, or None if the client disconnects or another middleware rejects the body.
    All messages are appended to `received`."""
    pieces: list[bytes] = []
    while True:
        try:
            message = await receive()
        except Exception as error:
            received.append(error)
            return None
        received.append(message)
        if message["type"] != "http.request":
            return None
        pieces.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(pieces)


def _receiving(received: list[Message | Exception], receive: Receive) -> Receive:
    """Return a `receive` that first repeats the received messages."""

    async def receive_again() -> Message:
        if not received:
            return await receive()
        first = received.pop(0)
        if isinstance(first, Exception):
            raise first
        return first

    return receive_again


def _raising(error: Exception) -> Callable[..., Awaitable[Any]]:
    async def app(*_: object) -> None:
        raise error

    return app
