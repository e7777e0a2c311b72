"""Who may use the API: bearer keys (RFC 6750), if there are any."""

from starlette.types import ASGIApp, Receive, Scope, Send

from entrypoints.api_keys import READ, WRITE, ApiKey, ApiKeys
from entrypoints.http.problem import problem
from entrypoints.http.problem_types import KEY_MISSING, KEY_READS_ONLY, KEY_UNKNOWN

_OPEN = ("/health/live", "/health/ready")
CLIENT_NAME = "client_name"
"""Under this name the ASGI scope holds the name of the API key that a request came with. It stays
the same when the key's secret is replaced."""


class Access:
    """Pure ASGI middleware that lets nobody pass without a key. A key that only reads may GET and
    HEAD. Health is told to everyone: an orchestrator has no key."""

    def __init__(self, app: ASGIApp, keys: ApiKeys) -> None:
        self._app = app
        self._keys = keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].rstrip("/") not in _OPEN:
            needed = READ if scope["method"] in ("GET", "HEAD") else WRITE
            token = _bearer_token(scope)
            key = self._keys.key_of(token) if token is not None else None
            if key is None or (key.scope == READ and needed == WRITE):
                await _refusal(scope, token, key)(scope, receive, send)
                return
            scope[CLIENT_NAME] = key.name
        await self._app(scope, receive, send)


def _bearer_token(scope: Scope) -> bytes | None:
    fields = [value for name, value in scope["headers"] if name == b"authorization"]
    if len(fields) != 1:
        return None
    scheme, _, token = fields[0].partition(b" ")
    return token.strip() if scheme.lower() == b"bearer" else None


def _refusal(scope: Scope, token: bytes | None, key: ApiKey | None) -> ASGIApp:
    # What is said in which case: RFC 6750, section 3.1.
    if key:
        kind, detail = KEY_READS_ONLY, "This key may only read."
        challenge = f'Bearer error="insufficient_scope", scope="{WRITE}"'
    elif token is None:
        kind, detail = KEY_MISSING, "A key is needed: Authorization: Bearer <key>."
        challenge = "Bearer"
    else:
        kind, detail = KEY_UNKNOWN, "There is no such key."
        challenge = 'Bearer error="invalid_token"'
    return problem(scope, kind, detail, headers={"WWW-Authenticate": challenge})
