"""Routes that call their endpoint directly."""

import re
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any, cast

from fastapi.routing import APIRoute
from starlette._utils import get_route_path
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import Receive, Scope, Send

from entrypoints.http.accepted_media import accepts_json
from entrypoints.http.endpoint_arguments import EndpointArguments


class DirectRoute(APIRoute):
    """An `APIRoute` for endpoints of a plain shape, at a third of the cost.

    The endpoint is declared, documented and validated as any other of FastAPI's. It may take
    path, query and header parameters, one JSON body, and dependencies that take nothing but
    the request; it returns a `Response`. Such a signature leaves nothing to solve at run time.
    Another is refused when the route is made, with a `TypeError`: it belongs on an `APIRoute`.

    The route answers with and without a trailing slash, and HEAD as GET does.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        super().__init__(path, endpoint, **options)
        self.path_regex = re.compile(self.path_regex.pattern.rstrip("/$") + r"/?\Z")
        self._methods = frozenset(self.methods or ())
        self._endpoint = cast(Callable[..., Awaitable[Response]], endpoint)
        self._arguments = EndpointArguments(self.dependant)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        # Most routes that are asked do not match, so that is found out first.
        found = self.path_regex.match(get_route_path(scope))
        if not found or scope["type"] != "http":
            return Match.NONE, {}
        match = Match.FULL if _method(scope) in self._methods else Match.PARTIAL
        return match, {
            "endpoint": self.endpoint,
            "path_params": found.groupdict(),
            "route": self,
        }

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        if _method(scope) not in self._methods:
            raise HTTPException(405)
        if self.status_code != HTTPStatus.NO_CONTENT and not accepts_json(scope["headers"]):
            raise HTTPException(406)
        request = Request(scope, receive, send)
        response = await self._endpoint(**await self._arguments.of(request))
        await response(scope, receive, send)


def _method(scope: Scope) -> str:
    method: str = scope["method"]
    return "GET" if method == "HEAD" else method
