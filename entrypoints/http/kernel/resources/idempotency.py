"""`Idempotency-Key`: a client may retry a change whose response it has not received.

https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
"""

import re
from collections.abc import Awaitable, Callable
from hashlib import sha256
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import Response

from application.kernel.idempotency import Idempotency
from application.kernel.idempotency_records import KEY_MAX_LENGTH
from entrypoints.http.kernel.middleware.authentication import CLIENT_NAME
from entrypoints.http.kernel.openapi import header
from entrypoints.http.kernel.problems.problem import HTTPProblem
from entrypoints.http.kernel.problems.problem_types import MALFORMED_IDEMPOTENCY_KEY

_T = TypeVar("_T")

# A string of RFC 9651, section 3.3.3, or the same without its quotes, which most clients send.
_QUOTED = re.compile(rb'"((?:[ !#-\[\]-~]|\\["\\]){1,%d})"' % KEY_MAX_LENGTH)
_BARE = re.compile(rb"[!#-~]{1,%d}" % KEY_MAX_LENGTH)
_ESCAPED = re.compile(rb'\\(["\\])')

MALFORMED = (
    f"Idempotency-Key must be one key of 1 to {KEY_MAX_LENGTH} visible ASCII characters, "
    "in double quotes or without any."
)
KEY_PARAMETER: dict[str, Any] = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "A key that you choose for this request, such as a UUID. A retry with the same "
    "key makes no second change and gets the first response. A request that failed has changed "
    "nothing, and may be retried with its key.",
    "schema": {
        "type": "string",
        "pattern": f"^({_BARE.pattern.decode()}|{_QUOTED.pattern.decode()})$",
        "examples": ["8e03978e-40d5-43dd-bc93-6e83d7d8a8b5"],
    },
}
REPLAYED = {
    "Idempotency-Replayed": header(
        "This is the response to the first request with the key; this one has changed nothing.",
        "true",
        required=False,
    )
}
_REPLAYED = (b"idempotency-replayed", b"true")


async def once_per_key(
    request: Request,
    key: str,
    change: Callable[[], Awaitable[_T]],
    respond: Callable[[_T], Response],
) -> Response:
    """Make the change once per key. Return the response that `respond` creates from its result, or
    the response to the first request with the key."""

    def content_of(result: _T) -> bytes:
        return _to_bytes(respond(result))

    idempotency: Idempotency = request.app.state.container.idempotency()
    content, is_replayed = await idempotency.once(
        _of_client(request, key), await _fingerprint(request), change, content_of
    )
    response = _to_response(content)
    if is_replayed:
        response.raw_headers.append(_REPLAYED)
    return response


def key_of(request: Request) -> str | None:
    """Return the key of the request, or None.

    Raises `HTTPProblem` 400 if the header is malformed.
    """
    for name, _ in request.scope["headers"]:
        if name == b"idempotency-key":
            return _parsed(request)
    return None


def _parsed(request: Request) -> str:
    values = request.headers.getlist("idempotency-key")
    value = values[0].encode("latin-1").strip()
    if len(values) == 1 and _BARE.fullmatch(value):
        return value.decode()
    if len(values) == 1 and (quoted := _QUOTED.fullmatch(value)):
        return _ESCAPED.sub(rb"\1", quoted[1]).decode()
    raise HTTPProblem(MALFORMED_IDEMPOTENCY_KEY, MALFORMED)


def _of_client(request: Request, key: str) -> str:
    """Return the key of the record for this client's key.

    Each client, by the name of its API key, has keys of its own; all requests without an API key
    share theirs. The hash has the same length for every name. A tab can separate the two, because
    neither a name nor a key can contain one.
    """
    client: str | None = request.scope.get(CLIENT_NAME)
    return key if client is None else sha256(f"{client}\t{key}".encode()).hexdigest()


async def _fingerprint(request: Request) -> bytes:
    """Return a hash that two requests share only if they ask for the same change."""
    query: bytes = request.scope["query_string"]
    parts = (
        request.method,
        request.scope["path"] + (f"?{query.decode('latin-1')}" if query else ""),
        ",".join(request.headers.getlist("if-match")),
    )
    return sha256("\0".join(parts).encode() + b"\0" + await request.body()).digest()


def _to_bytes(response: Response) -> bytes:
    """Return the response in the format of HTTP/1.1 (RFC 9112), with the status code alone as its
    status line."""
    fields = b"".join(b"%b: %b\r\n" % field for field in response.raw_headers)
    return b"%d\r\n%b\r\n%b" % (response.status_code, fields, bytes(response.body))


def _to_response(content: bytes) -> Response:
    head, _, body = content.partition(b"\r\n\r\n")
    status, *fields = head.split(b"\r\n")
    response = Response(body, int(status))
    response.raw_headers = [
        (name, value) for name, _, value in (field.partition(b": ") for field in fields)
    ]
    return response
