"""Who may use the API: bearer keys (RFC 6750), if there are any."""

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
"""Under this name the ASGI scope holds the name of the API key that a request came with. It stays
the same when the key's secret is replaced."""


async def client_name(connection: HTTPConnection) -> str | None:
    """Return the name of the client's API key; None if the service runs without keys."""
    name: str | None = connection.scope.get(CLIENT_NAME)
    return name


ClientName = Annotated[str | None, Depends(client_name)]
"""For a route or a websocket that asks which client it serves: `async def read(client:
ClientName)`."""


class Authentication:
    """Pure ASGI middleware that lets no request and no websocket pass without a key, whichever
    route or mounted app it is for. Health checks need none.

    A key that only reads may GET and HEAD. A websocket needs a key that writes: what will be sent
    over it cannot be known when it is opened.
    """

    def __init__(self, app: ASGIApp, keys: ApiKeys) -> None:
        self._app = app
        self._keys = keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or is_health_check(scope):
            await self._app(scope, receive, send)
            return
        # A websocket has no method here.
        needed = READ if scope.get("method") in ("GET", "HEAD") else WRITE
        token = _bearer_token(scope)
        key = self._keys.key_of(token) if token is not None else None
        if key:
            scope[CLIENT_NAME] = key.name
        if key and (key.scope == WRITE or needed == READ):
            await self._app(scope, receive, send)
        else:
            await reject(_refusal(scope, token, key), scope, receive, send)


def _bearer_token(scope: Scope) -> bytes | None:
    fields = [value for name, value in scope["headers"] if name == b"authorization"]
    if len(fields) != 1:
        return None
    scheme, _, token = fields[0].partition(b" ")
    return token.strip() if scheme.lower() == b"bearer" else None


def _refusal(scope: Scope, token: bytes | None, key: ApiKey | None) -> Response:
    # What is said in which case: RFC 6750, section 3.1.
    if key:
        kind, detail = KEY_READS_ONLY, "This key may only read."
        challenge = f'Bearer error="insufficient_scope", scope="{WRITE}"'
    elif token is None:
        kind, detail = KEY_MISSING, "An API key is needed: Authorization: Bearer <key>."
        challenge = "Bearer"
    else:
        kind, detail = KEY_UNKNOWN, "There is no such API key."
        challenge = 'Bearer error="invalid_token"'
    return problem(scope, kind, detail, headers={"WWW-Authenticate": challenge})
