"""The way of a request to a direct route, past what FastAPI does for any other."""

from collections.abc import Iterable
from typing import Any

from fastapi import FastAPI
from starlette._utils import get_route_path
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, ExceptionHandler, Receive, Scope, Send

from entrypoints.http.direct_route import DirectRequest, DirectRoute, method_of


class DirectRoutes:
    """Pure ASGI middleware, the innermost, that answers for direct routes itself.

    Each address is matched once for all its methods, and an error gets the answer that the app has
    for it. The routes stand among the app's own as well: there FastAPI documents them, and refuses
    a method that an address does not know. Without this middleware they are answered by way of
    that, to the same effect.
    """

    def __init__(self, app: ASGIApp, fastapi: FastAPI, routes: Iterable[BaseRoute]) -> None:
        self._app = app
        self._handlers = fastapi.exception_handlers
        self._by_path: dict[Any, dict[str, DirectRoute]] = {}
        for route in routes:
            if isinstance(route, DirectRoute):
                by_method = self._by_path.setdefault(route.path_regex, {})
                by_method |= dict.fromkeys(route.methods or (), route)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        route = self._find(scope) if scope["type"] == "http" else None
        if route is None:
            await self._app(scope, receive, send)
            return
        request = DirectRequest(scope, receive, send)
        try:
            response = await route.answer(request)
        except Exception as error:
            handler = self._handler_of(error)
            if handler is None:
                raise
            response = await handler(request, error)  # type: ignore[arg-type,misc]
        await response(scope, receive, send)

    def _find(self, scope: Scope) -> DirectRoute | None:
        path = get_route_path(scope)
        for regex, by_method in self._by_path.items():
            if found := regex.match(path):
                route = by_method.get(method_of(scope))
                if route:
                    scope.update(route.scope_of(found))
                return route
        return None

    def _handler_of(self, error: Exception) -> ExceptionHandler | None:
        for kind in type(error).__mro__:
            if kind in self._handlers:
                return self._handlers[kind]
        return None
