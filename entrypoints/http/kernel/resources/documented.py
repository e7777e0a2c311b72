"""Document the routes of a resource for FastAPI: the status, the model and all responses.

    @router.post("/", **creates(BookRead))

Each function returns keyword arguments of `APIRouter.get` and its siblings.
"""

from typing import Any

from pydantic import BaseModel

from entrypoints.http.kernel.openapi import header, headers, problems
from entrypoints.http.kernel.resources.idempotency import KEY_PARAMETER, REPLAYED

_ETAG_SCHEMA = {"type": "string", "examples": ['"1"']}
_CACHED = {"Cache-Control": header("Revalidate before reuse.", "private, no-cache")}
_ETAG = {"ETag": header("The version, for If-Match and If-None-Match.", '"1"')}
_LOCATION = {
    "Location": header(
        "The address of what was created.", "/api/v1/books/01890a5d-ac96-774b-bcce-b302099a8057"
    )
}
_LINK = {
    "Link": header(
        'The next page, rel="next" (RFC 8288). Absent on the last page.',
        '</api/v1/books?limit=50&cursor=AYkKXayWd0u8zrMCCZqAV8sMVnD7>; rel="next"',
        required=False,
    )
}
_IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "description": "Make the change only if the ETag is one of these (RFC 9110, section 13.1.1).",
    "schema": _ETAG_SCHEMA,
}
_IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "description": "Return 304 if the ETag is one of these (RFC 9110, section 13.1.2).",
    "schema": _ETAG_SCHEMA,
}


def lists(model: type[BaseModel]) -> dict[str, Any]:
    """Document a page of a collection."""
    return {
        "response_model": list[model],  # type: ignore[valid-type]
        "responses": {200: headers(_CACHED, _LINK), **problems(406, 422, 503)},
    }


def reads(model: type[BaseModel]) -> dict[str, Any]:
    """Document one resource, or 304."""
    return {
        "response_model": model,
        "responses": {
            200: headers(_CACHED, _ETAG),
            304: headers(_CACHED, _ETAG, description="Not modified"),
            **problems(404, 406, 503),
        },
        "openapi_extra": {"parameters": [_IF_NONE_MATCH]},
    }


def creates(model: type[BaseModel]) -> dict[str, Any]:
    """Document the creation of a resource, 201."""
    return {
        "status_code": 201,
        "response_model": model,
        "responses": {
            201: headers(_CACHED, _ETAG, _LOCATION, REPLAYED),
            **problems(400, 406, 409, 413, 415, 422, 503, 507),
        },
        "openapi_extra": {"parameters": [KEY_PARAMETER]},
    }


def changes(model: type[BaseModel]) -> dict[str, Any]:
    """Document the change of a resource, which returns the next version."""
    return {
        "response_model": model,
        "responses": {
            200: headers(_CACHED, _ETAG, REPLAYED),
            **problems(400, 404, 406, 409, 412, 413, 415, 422, 503, 507),
        },
        "openapi_extra": {"parameters": [_IF_MATCH, KEY_PARAMETER]},
    }


def deletes() -> dict[str, Any]:
    """Document the deletion of a resource, 204."""
    return {
        "status_code": 204,
        "responses": {
            204: headers(REPLAYED),
            **problems(400, 404, 409, 412, 422, 503, 507),
        },
        "openapi_extra": {"parameters": [_IF_MATCH, KEY_PARAMETER]},
    }
