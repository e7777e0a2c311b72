"""Which answer each error gets."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match

from application.errors import (
    DuplicateId,
    ExampleItemNotFound,
    KeyInProgress,
    KeyReused,
    OutcomeUnknown,
    StaleVersion,
    StorageFull,
    StorageUnavailable,
)
from domain.broken_rule import RulesBroken
from entrypoints.http.problem import problem
from entrypoints.http.storage_trouble import StorageTrouble

RETRY_AFTER = {"Retry-After": "1"}


def add_error_handlers(app: FastAPI) -> None:
    """Answer every foreseen error of this app with a problem document."""

    @app.exception_handler(RulesBroken)
    async def rules_broken(request: Request, error: RulesBroken) -> Response:
        return invalid(
            request,
            [
                {
                    "in": "body",
                    "pointer": f"#/{each.field}",
                    "type": each.rule,
                    "detail": each.message,
                }
                for each in error.broken
            ],
        )

    @app.exception_handler(RequestValidationError)
    async def validation_failed(request: Request, error: RequestValidationError) -> Response:
        # What pydantic adds, the input and its context, is left out: it may be secret, or
        # nothing that JSON can hold.
        return invalid(
            request,
            [
                {
                    "in": str(each["loc"][0]),
                    "pointer": _pointer(each["loc"][1:]),
                    "type": each["type"],
                    "detail": each["msg"],
                }
                for each in error.errors()
            ],
        )

    @app.exception_handler(HTTPException)
    async def http_error(request: Request, error: HTTPException) -> Response:
        headers = dict(error.headers or {})
        if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            headers["Allow"] = ", ".join(sorted(_allowed_methods(app, request)))
        phrase = HTTPStatus(error.status_code).phrase
        detail = _DETAILS.get(error.status_code, error.detail)
        return problem(request.scope, error.status_code, detail or phrase, headers=headers)

    @app.exception_handler(StaleVersion)
    async def stale_version(request: Request, _error: StaleVersion) -> Response:
        if "if-match" in request.headers:
            return problem(request.scope, 412, "The item has another version than If-Match names.")
        return problem(request.scope, 409, "The item was changed by someone else meanwhile.")

    @app.exception_handler(KeyReused)
    async def key_reused(request: Request, _error: KeyReused) -> Response:
        detail = "another request was carried out with this key"
        where = {"in": "header", "pointer": "#/Idempotency-Key"}
        return invalid(request, [{**where, "type": "key_reused", "detail": detail}])

    for error_class, (status, detail) in _ANSWERS.items():
        app.add_exception_handler(error_class, _always(status, detail))
    trouble = StorageTrouble()
    for error_class, (status, detail) in _ANSWERS_IN_TROUBLE.items():
        app.add_exception_handler(error_class, _always(status, detail, trouble))


def _always(
    status: int, detail: str, trouble: StorageTrouble | None = None
) -> Callable[[Request, Exception], Awaitable[Response]]:
    headers = RETRY_AFTER if status == HTTPStatus.SERVICE_UNAVAILABLE else None

    async def answer(request: Request, error: Exception) -> Response:
        if trouble:
            trouble.tell(error)
        return problem(request.scope, status, detail, headers=headers)

    return answer


_ANSWERS: Mapping[type[Exception], tuple[int, str]] = {
    ExampleItemNotFound: (404, "There is no such example item."),
    DuplicateId: (409, "There is such an example item already."),
    KeyInProgress: (409, "A request with this Idempotency-Key is in progress. Try again later."),
}

_ANSWERS_IN_TROUBLE: Mapping[type[Exception], tuple[int, str]] = {
    StorageUnavailable: (503, "The storage cannot be used now. Nothing was changed."),
    OutcomeUnknown: (503, "The storage was lost in mid-change. Look whether it was made."),
    StorageFull: (507, "The storage is full. Nothing was changed."),
}

_DETAILS: Mapping[int, str] = {
    404: "There is nothing at this address.",
    406: "The answer is application/json, which Accept rules out.",
    405: "The address does not know this method; Allow lists those that it knows.",
}


def invalid(request: Request, errors: Sequence[Mapping[str, Any]]) -> Response:
    """Return a 422 that lists the errors."""
    return problem(request.scope, 422, "The request is not valid.", errors=errors)


def _pointer(location: Sequence[int | str]) -> str:
    """Return a JSON pointer as a URI fragment (RFC 6901, section 6)."""
    return "#" + "".join(
        "/" + quote(str(part).replace("~", "~0").replace("/", "~1"), errors="replace")
        for part in location
    )


def _allowed_methods(app: FastAPI, request: Request) -> set[str]:
    """Return the methods of all routes at the request's address (RFC 9110, section 15.5.6)."""
    allowed: set[str] = set()
    for route in app.routes:
        match, _ = route.matches(request.scope)
        if match is not Match.NONE:
            allowed |= getattr(route, "methods", None) or set()
    # An address below none of the routes is that of a file: what the docs page is made of.
    allowed = allowed or {"GET"}
    return allowed | ({"HEAD"} if "GET" in allowed else set())
