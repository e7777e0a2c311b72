"""Routes that call their endpoint directly."""

import re
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any, cast

from fastapi.routing import APIRoute
from starlette._utils import get_route_path
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import Receive, Scope, Send

from entrypoints.http.accepted_media import accepts_json
from entrypoints.http.endpoint_arguments import EndpointArguments


class DirectRequest(Request):
    """A request whose body is most often there in one piece, which Starlette reads by way of a
    generator."""

    _body: bytes

    async def body(self) -> bytes:
        if not hasattr(self, "_body"):
            pieces = []
            more = True
            while more:
                message = await self.receive()
                if message["type"] != "http.request":
                    raise ClientDisconnect
                pieces.append(message.get("body", b""))
                more = message.get("more_body", False)
            self._body = b"".join(pieces)
        return self._body


class DirectRoute(APIRoute):
    """An `APIRoute` for endpoints of a plain shape, answered at a third of the cost.

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
        match = Match.FULL if method_of(scope) in self._methods else Match.PARTIAL
        return match, self.scope_of(found)

    def scope_of(self, found: re.Match[str]) -> dict[str, Any]:
        """Return what the scope has to say of this route, whose address was found."""
        return {"endpoint": self.endpoint, "path_params": found.groupdict(), "route": self}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        if method_of(scope) not in self._methods:
            raise HTTPException(405)
        response = await self.answer(DirectRequest(scope, receive, send))
        await response(scope, receive, send)

    async def answer(self, request: Request) -> Response:
        """Return what the endpoint answers; raise what it raises, or what refuses the request."""
        if self.status_code != HTTPStatus.NO_CONTENT and not accepts_json(request.scope["headers"]):
            raise HTTPException(406)
        return await self._endpoint(**await self._arguments.of(request))


def method_of(scope: Scope) -> str:
    """Return the method to answer as: HEAD is as GET, and the server leaves out the body."""
    method: str = scope["method"]
    return "GET" if method == "HEAD" else method
