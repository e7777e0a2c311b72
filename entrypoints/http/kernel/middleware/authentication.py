"""Authentication of clients by API keys, as bearer tokens (RFC 6750)."""

from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from entrypoints.http.kernel.addresses import is_health_check
from entrypoints.http.kernel.problems.problem import problem, reject
from entrypoints.http.kernel.problems.problem_types import KEY_MISSING, KEY_READS_ONLY, KEY_UNKNOWN
from entrypoints.kernel.api_keys import READ, WRITE, ApiKey, ApiKeys

CLIENT_NAME = "client_name"
"""The key in the ASGI scope under which the name of the client's API key stands. The name stays the
same when the key itself is replaced."""


async def client_name(connection: HTTPConnection) -> str | None:
    """Return the name of the client's API key; None if the service runs without keys."""
    name: str | None = connection.scope.get(CLIENT_NAME)
    return name


ClientName = Annotated[str | None, Depends(client_name)]
"""For a route or a websocket that needs the name of the client: `async def read(client:
ClientName)`."""


class Authentication:
    """Pure ASGI middleware that rejects every request and websocket without a valid key, for all
    routes and mounted apps. Health checks need no key.

    A key with the scope `read` allows GET and HEAD. A websocket needs the scope `write`: when it is
    opened, it is not known what the client will send.
    """

    def __init__(self, app: ASGIApp, keys: ApiKeys) -> None:
        self._app = app
        self._keys = keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or is_health_check(scope):
            await self._app(scope, receive, send)
            return
        # A websocket has no method.
        needed = READ if scope.get("method") in ("GET", "HEAD") else WRITE
        token = _bearer_token(scope)
        key = self._keys.key_of(token) if token is not None else None
        if key:
            scope[CLIENT_NAME] = key.name
        if key and (key.scope == WRITE or needed == READ):
            await self._app(scope, receive, send)
        else:
            await reject(_rejection(scope, token, key), scope, receive, send)


def _bearer_token(scope: Scope) -> bytes | None:
    fields = [value for name, value in scope["headers"] if name == b"authorization"]
    if len(fields) != 1:
        return None
    scheme, _, token = fields[0].partition(b" ")
    return token.strip() if scheme.lower() == b"bearer" else None


def _rejection(scope: Scope, token: bytes | None, key: ApiKey | None) -> Response:
    # The challenge for each case: RFC 6750, section 3.1.
    if key:
        kind, detail = KEY_READS_ONLY, "This API key allows reading only."
        challenge = f'Bearer error="insufficient_scope", scope="{WRITE}"'
    elif token is None:
        kind, detail = (
            KEY_MISSING,
            "An API key is required. Send the header Authorization: Bearer <key>.",
        )
        challenge = "Bearer"
    else:
        kind, detail = KEY_UNKNOWN, "The API key is not valid."
        challenge = 'Bearer error="invalid_token"'
    return problem(scope, kind, detail, headers={"WWW-Authenticate": challenge})
