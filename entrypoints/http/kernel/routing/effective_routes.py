"""The routes of an app as requests reach them: with included routers and mounted apps."""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, get_type_hints

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Match, Mount, Route, WebSocketRoute
from starlette.types import Scope

from entrypoints.http.kernel.framework_internals import (
    RouteContext,
    get_route_path,
    included_routes,
    iter_route_contexts,
)

_WITHOUT_CONTENT = (204, 304)


class EffectiveRoute:
    """A route with everything that its routers add: prefixes, dependencies, mounts."""

    def __init__(self, declared: RouteContext, mounted_at: str) -> None:
        self.declared = declared
        self.is_mounted = bool(mounted_at)
        self.methods = frozenset(declared.methods or ())
        """Empty if the route accepts every method, or checks the method itself."""
        # A mount's path_format includes the rest of the path.
        is_mount = isinstance(declared.original_route, Mount)
        path = (declared.path if is_mount else declared.path_format) or declared.path or ""
        self.template = mounted_at + path
        """Its path with the names of the parameters, for the log."""
        self.returns_response = _returns_response(declared.endpoint)
        """Whether its endpoint is annotated to return a `Response`."""
        self.responds_with_json = _responds_with_json(declared, self.returns_response)
        """Whether its response is JSON according to the OpenAPI document."""


Found = tuple[EffectiveRoute, dict[str, str] | None]
"""A route and the values of its path parameters; None if the route parses the path itself."""


class EffectiveRoutes:
    """The routes of an app, which may change while it runs."""

    def __init__(self, app: FastAPI) -> None:
        self._router = app.router
        self._table = _Table(())

    def find(self, scope: Scope) -> Found | None:
        """Return the route that the app would choose for an HTTP request, or None if no route has
        the path and the method."""
        found = self._current().find(scope)
        if found and scope["path"].endswith("\n"):
            # The end of Starlette's regular expressions matches before a line feed too.
            return found[0], None
        return found

    def at(self, scope: Scope) -> list[EffectiveRoute]:
        """Return the routes of the request's path for any method."""
        return list(self._current().at(scope))

    def _current(self) -> "_Table":
        table, routes = self._table, self._router.routes
        if table.routes is routes:
            for now, then in table.sources:
                if now != then:
                    break
            else:
                return table
        self._table = table = _Table(routes)
        return table


class _Entry(NamedTuple):
    # The path up to its first parameter: comparing it is faster than a regular expression.
    prefix: str
    has_parameters: bool
    methods: frozenset[str]
    fullmatch: Callable[[str], re.Match[str] | None] | None
    route: EffectiveRoute
    below: "_Table | None"


class _Table:
    """Routes in the order in which they are matched: the first match is used."""

    def __init__(self, routes: Sequence[BaseRoute], mounted_at: str = "") -> None:
        self.routes = routes
        self.sources = [(each, list(each)) for each in (routes, *included_routes(routes))]
        """The lists of routes that the table was made of, with a copy of each."""
        self._entries = [
            entry
            for declared in iter_route_contexts(routes)
            if (entry := self._entry_of(declared, mounted_at))
        ]
        # The candidates for a path: most paths match one route.
        self._with_parameters = [each for each in self._entries if each.has_parameters]
        self._of_path = {
            path: [
                each
                for each in self._entries
                if (path.startswith if each.has_parameters else path.__eq__)(each.prefix)
            ]
            for path in {each.prefix for each in self._entries if not each.has_parameters}
        }

    def _entry_of(self, declared: RouteContext, mounted_at: str) -> _Entry | None:
        matches: Any = type(declared.original_route).matches
        route = EffectiveRoute(declared, mounted_at)
        prefix, parameter, _ = (declared.path_format or "").partition("{")
        if matches in (Route.matches, APIRoute.matches):
            fullmatch = declared.path_regex.fullmatch
            return _Entry(prefix, bool(parameter), route.methods, fullmatch, route, None)
        if isinstance(declared.original_route, WebSocketRoute):
            return None
        below = None
        if routes := getattr(declared, "routes", None):
            below = _Table(routes, route.template)
            self.sources += below.sources
        if matches is not Mount.matches:
            prefix = ""
        return _Entry(prefix, True, frozenset(), None, route, below)

    def find(self, scope: Scope) -> Found | None:
        path, method = get_route_path(scope), scope["method"]
        for entry in self._of_path.get(path, self._with_parameters):
            prefix, has_parameters, methods, fullmatch, route, below = entry
            if methods and method not in methods:
                continue
            if not has_parameters:
                return route, {}
            if not path.startswith(prefix):
                continue
            if fullmatch is None:
                match, inner = route.declared.matches(dict(scope))
                if match is Match.FULL:
                    return below.find({**scope, **inner}) if below else (route, None)
            elif found := fullmatch(path):
                return route, found.groupdict()
        return None

    def at(self, scope: Scope) -> Iterator[EffectiveRoute]:
        path = get_route_path(scope)
        for _, _, _, fullmatch, route, below in self._entries:
            if fullmatch is None:
                match, inner = route.declared.matches(dict(scope))
                if match is Match.FULL:
                    yield from below.at({**scope, **inner}) if below else (route,)
                    return
            elif fullmatch(path):
                yield route


def _returns_response(endpoint: Any) -> bool:
    try:
        returned = get_type_hints(endpoint).get("return")
    except Exception:  # an undefined name, or not a function
        return False
    return isinstance(returned, type) and issubclass(returned, Response)


def _responds_with_json(declared: RouteContext, returns_response: bool) -> bool:
    if not isinstance(declared.original_route, APIRoute):
        return False
    # FastAPI wraps a default.
    response_class = getattr(declared.response_class, "value", declared.response_class)
    return (
        issubclass(response_class, JSONResponse)
        and declared.status_code not in _WITHOUT_CONTENT
        and not declared.is_sse_stream
        and not declared.is_json_stream
        # Without a response model, an endpoint that returns a Response can return anything.
        and (declared.response_field is not None or not returns_response)
    )
