"""Rules for every route: HEAD, trailing slashes, Allow and Accept."""

from collections.abc import Awaitable

from fastapi import FastAPI
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from entrypoints.http.kernel.problems.problem import problem
from entrypoints.http.kernel.problems.problem_types import (
    METHOD_NOT_ALLOWED,
    NO_SUCH_PATH,
    NOT_ACCEPTABLE,
)
from entrypoints.http.kernel.routing.content_negotiation import accepts_json
from entrypoints.http.kernel.routing.effective_routes import EffectiveRoute, EffectiveRoutes, Found


class RoutingRules:
    """Pure ASGI middleware that finds the route of each request and stores it in the scope, as
    `effective_route`.

    - A path leads to the same route with and without a slash at its end, without a redirect. A
      route that is declared for exactly this path comes first.
    - HEAD is routed as GET where no route takes HEAD itself (RFC 9110, section 9.3.2). The endpoint
      sees a GET, and the server leaves out the body.
    - A 405 lists in Allow all methods of the path (RFC 9110, section 15.5.6).
    - If a route responds with JSON according to its OpenAPI document, a request whose Accept
    excludes JSON is rejected with a 406 before the route is called.

    The rules apply to the routes of mounted apps as well, if the app lists its routes.
    """

    def __init__(self, app: ASGIApp, fastapi: FastAPI) -> None:
        self._app = app
        self._routes = EffectiveRoutes(fastapi)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif found := self._routes.find(scope):
            await self._follow(found, scope, receive, send)
        else:
            await self._follow_another(scope, receive, send)

    def _follow(self, found: Found, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        scope["effective_route"] = found
        if found[0].responds_with_json and not accepts_json(scope["headers"]):
            detail = "The response is application/json, but the Accept header excludes it."
            return problem(scope, NOT_ACCEPTABLE, detail)(scope, receive, send)
        return self._app(scope, receive, send)

    async def _follow_another(self, scope: Scope, receive: Receive, send: Send) -> None:
        path, method = scope["path"], scope["method"]
        try:
            for scope["path"], scope["method"] in _of_the_same_meaning(path, method):
                if found := self._routes.find(scope):
                    if method == "HEAD":
                        send = _sending_as_asked(scope, method, send)
                    await self._follow(found, scope, receive, send)
                    return
            for scope["path"] in (path, *_other_slash(path)):
                if routes := self._routes.at(scope):
                    scope["effective_route"] = (routes[0], None)
                    send = _sending_allow(routes, send)
                    break
            else:
                if path.endswith("\n"):  # FastAPI would ignore the newline
                    response = problem(scope, NO_SUCH_PATH, "There is nothing at this path.")
                    await response(scope, receive, send)
                    return
                scope["path"] = path
            scope["method"] = method
            await self._app(scope, receive, send)
        finally:
            scope["path"], scope["method"] = path, method


def _of_the_same_meaning(path: str, method: str) -> list[tuple[str, str]]:
    """Return the alternative paths and methods to look for, the closest first."""
    methods = ["HEAD", "GET"] if method == "HEAD" else [method]
    return [(p, m) for p in (path, *_other_slash(path)) for m in methods][1:]


def _other_slash(path: str) -> tuple[str, ...]:
    if not path.endswith("/"):
        return (f"{path}/",)
    return () if path == "/" or path.endswith("//") else (path[:-1],)


def _sending_as_asked(scope: Scope, method: str, send: Send) -> Send:
    """Restore the method in the scope, so that the server omits the body of a response to HEAD."""

    async def send_as_asked(message: Message) -> None:
        scope["method"] = method
        await send(message)

    return send_as_asked


def _sending_allow(routes: list[EffectiveRoute], send: Send) -> Send:
    """Set the Allow of a 405 to the methods of all the routes."""

    async def send_allow(message: Message) -> None:
        if (
            message["type"] == "http.response.start"
            and message["status"] == METHOD_NOT_ALLOWED.status
        ):
            methods = {method for route in routes for method in route.methods}
            if "GET" in methods:
                methods.add("HEAD")
            headers = MutableHeaders(raw=list(message.get("headers", ())))
            headers["Allow"] = ", ".join(sorted(methods))
            message = {**message, "headers": headers.raw}
        await send(message)

    return send_allow
