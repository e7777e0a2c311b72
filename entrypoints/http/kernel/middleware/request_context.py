"""The context of every request and websocket: its id, its log line, and a 500 if it fails."""

import asyncio
import re
import time
from random import getrandbits
from typing import Any

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from application.kernel.commits import COMMITS, Commits
from entrypoints.http.kernel.lifespan import run_lifespan
from entrypoints.http.kernel.middleware.authentication import CLIENT_NAME
from entrypoints.http.kernel.problems.outcome import failure
from entrypoints.http.kernel.problems.problem_types import INTERNAL_ERROR, SHUTTING_DOWN

_WELL_FORMED = re.compile(rb"[A-Za-z0-9._-]{1,64}")
# A browser must use the Content-Type and not guess it from the content.
_NO_SNIFFING = (b"x-content-type-options", b"nosniff")
_log = structlog.get_logger("entrypoints.http")


class RequestContext:
    """Pure ASGI middleware. It is the outermost, so that it applies to every request."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._pass_on(scope, receive, send)
            return
        started = time.perf_counter()
        request_id = _id_of(scope)
        scope["request_id"] = request_id
        structlog.contextvars.bind_contextvars(request_id=request_id)
        token = COMMITS.set(Commits())
        header = (b"x-request-id", request_id.encode())
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), header, _NO_SNIFFING]
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        except asyncio.CancelledError:
            if scope.get("hung_up"):
                return  # the client has closed the connection
            if status:
                raise  # too late for another response: the server has to abort this one
            # The cancellation ends here: the server would log a traceback.
            response = failure(scope, SHUTTING_DOWN, "The service is shutting down.")
            await response(scope, receive, send_with_id)
        except Exception:
            _log.exception("unhandled error")
            if status:
                raise  # too late for another response: the server has to abort this one
            detail = "An internal error occurred. The log has the reason under this request_id."
            response = failure(scope, INTERNAL_ERROR, detail)
            await response(scope, receive, send_with_id)
        finally:
            _log.info(
                "request", method=scope["method"], status=status or None, **_fields(scope, started)
            )
            COMMITS.reset(token)

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on a websocket or the lifespan."""
        if scope["type"] == "lifespan":
            await run_lifespan(self._app, scope, receive, send)
            return
        started = time.perf_counter()
        request_id = scope["request_id"] = _id_of(scope)
        structlog.contextvars.bind_contextvars(request_id=request_id)
        accepted = False

        async def send_with_id(message: Message) -> None:
            nonlocal accepted
            if message["type"] in ("websocket.accept", "websocket.http.response.start"):
                accepted = message["type"] == "websocket.accept"
                own = (b"x-request-id", request_id.encode())
                message["headers"] = [*message.get("headers", ()), own]
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        finally:
            _log.info("websocket", accepted=accepted, **_fields(scope, started))


def _fields(scope: Scope, started: float) -> dict[str, Any]:
    """Return the common fields of the log lines, with the client if there is one."""
    # The template of the path: the path itself may contain data that must not be logged.
    if found := scope.get("effective_route"):
        route = found[0].template
    else:  # for a websocket, FastAPI has found the route
        route = getattr(scope.get("route"), "path_format", None)
    fields = {
        "route": route,
        "duration_ms": round((time.perf_counter() - started) * 1000, 3),
    }
    if CLIENT_NAME in scope:
        fields["client"] = scope[CLIENT_NAME]
    return fields


def _id_of(scope: Scope) -> str:
    for name, value in scope.setdefault("headers", []):
        if name == b"x-request-id" and _WELL_FORMED.fullmatch(value):
            return str(value, "ascii")
    # It is no secret, so that a pseudorandom number is good enough, and it takes no system call.
    return f"{getrandbits(128):032x}"
