"""The error handlers: the response, a problem document, for each error."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from application.kernel.commits import Outcome
from application.kernel.errors import (
    AggregateError,
    AlreadyExists,
    DataConflict,
    InvalidValue,
    KeyInProgress,
    KeyReused,
    NotFound,
    OutcomeUnknown,
    StaleVersion,
    StorageFull,
    StorageUnavailable,
    TransactionConflict,
    VersionMismatch,
)
from domain.kernel.conflict import Conflict
from domain.kernel.rules import RulesBroken
from entrypoints.http.kernel.database_session import add_session_error_handler
from entrypoints.http.kernel.framework_internals import BODY_NOT_PARSED
from entrypoints.http.kernel.problems.outage_log import OutageLog
from entrypoints.http.kernel.problems.outcome import failure
from entrypoints.http.kernel.problems.problem import HTTPProblem, problem
from entrypoints.http.kernel.problems.problem_types import (
    ALREADY_EXISTS,
    CONCURRENT_CHANGE,
    CONFLICT,
    DATABASE_FULL,
    DATABASE_UNAVAILABLE,
    IDEMPOTENCY_KEY_IN_PROGRESS,
    IDEMPOTENCY_KEY_REUSED,
    INVALID_REQUEST,
    INVALID_VALUE,
    METHOD_NOT_ALLOWED,
    NO_SUCH_PATH,
    NOT_ACCEPTABLE,
    NOT_FOUND,
    OUTCOME_UNKNOWN,
    STALE_VERSION,
    TRANSACTION_CONFLICT,
    UNSUPPORTED_MEDIA_TYPE,
    ProblemType,
    phrase,
)

MAX_ERRORS = 20
"""How many errors of one request are listed at most."""
MAX_NAME_LENGTH = 200
_log = structlog.get_logger("entrypoints.http")


def add_error_handlers(app: FastAPI, outage_log: OutageLog | None = None) -> None:
    """Add the handlers that respond to every expected error with a problem document. Errors of the
    database are logged by `outage_log`, which can be shared."""
    outage_log = outage_log or OutageLog()

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
        if _is_body_of_another_type(error):
            detail = "The body must be JSON: Content-Type: application/json."
            return problem(request.scope, UNSUPPORTED_MEDIA_TYPE, detail)
        found = error.errors()
        # pydantic's input and context are left out: they may contain a secret, or a value that is
        # not valid in JSON.
        return invalid(request, [_described(each) for each in found[:MAX_ERRORS]], len(found))

    @app.exception_handler(HTTPException)
    async def http_error(request: Request, error: HTTPException) -> Response:
        if (
            error.detail == BODY_NOT_PARSED
            and isinstance(error.__cause__, (ValueError, RecursionError))
            and not _is_form(request)
        ):
            # Handle it like other invalid JSON: not UTF-8, nested too deeply, a number too long.
            return invalid(request, [_described({"type": "json_invalid", "loc": ("body",)})])
        headers = dict(error.headers or {})
        problem_type, detail = _meaning_of(error)
        if error.status_code == METHOD_NOT_ALLOWED.status:
            headers.setdefault("Allow", _allowed(request))
        return problem(request.scope, problem_type, detail, headers=headers)

    @app.exception_handler(KeyReused)
    async def key_reused(request: Request, _error: KeyReused) -> Response:
        detail = "was used for another request"
        where = {"in": "header", "pointer": "#/Idempotency-Key"}
        errors = [{**where, "type": "key_reused", "detail": detail}]
        detail = "This Idempotency-Key was used for another request. Nothing was changed."
        return problem(request.scope, IDEMPOTENCY_KEY_REUSED, detail, errors=errors)

    @app.exception_handler(InvalidValue)
    async def invalid_value(request: Request, error: InvalidValue) -> Response:
        # The domain's rules accepted a value that the database rejects: log it for the operator.
        _log.warning("rejected by the database", reason=str(error))
        detail = "The database cannot store or compare a value of the request."
        return problem(request.scope, INVALID_VALUE, detail, errors=[])

    @app.exception_handler(DataConflict)
    async def data_conflict(request: Request, error: DataConflict) -> Response:
        _log.warning("rejected by the database", reason=str(error))
        return problem(request.scope, CONFLICT, "The change conflicts with other stored data.")

    @app.exception_handler(Conflict)
    async def conflict(request: Request, error: Conflict) -> Response:
        problem_type = ProblemType(error.name, CONFLICT.status, CONFLICT.title)
        return problem(request.scope, problem_type, error.message)

    @app.exception_handler(KeyInProgress)
    async def key_in_progress(request: Request, _error: KeyInProgress) -> Response:
        detail = "Another request with this Idempotency-Key is in progress. Retry later."
        return problem(request.scope, IDEMPOTENCY_KEY_IN_PROGRESS, detail)

    for error_class, (problem_type, detail) in _OF_AGGREGATES.items():
        app.add_exception_handler(error_class, _of_aggregate(problem_type, detail))
    for error_class, (problem_type, detail) in _OF_DATABASE.items():
        app.add_exception_handler(error_class, _logged(problem_type, detail, outage_log))
    add_session_error_handler(app)


def _of_aggregate(
    problem_type: ProblemType, detail: str
) -> Callable[[Request, Any], Awaitable[Response]]:
    async def respond(request: Request, error: AggregateError) -> Response:
        return problem(request.scope, problem_type, detail.format(kind=error.kind))

    return respond


def _logged(
    problem_type: ProblemType, detail: str, outage_log: OutageLog
) -> Callable[[Request, Exception], Awaitable[Response]]:
    outcome = Outcome.UNKNOWN if problem_type is OUTCOME_UNKNOWN else None

    async def respond(request: Request, error: Exception) -> Response:
        outage_log.record(error)
        return failure(request.scope, problem_type, detail, outcome)

    return respond


_OF_AGGREGATES: Mapping[type[Exception], tuple[ProblemType, str]] = {
    NotFound: (NOT_FOUND, "There is no such {kind}."),
    VersionMismatch: (
        STALE_VERSION,
        "The {kind} has changed: its ETag is not the one in If-Match.",
    ),
    StaleVersion: (CONCURRENT_CHANGE, "Other requests changed the {kind} at the same time."),
    AlreadyExists: (ALREADY_EXISTS, "Another {kind} has this id already."),
}

_OF_DATABASE: Mapping[type[Exception], tuple[ProblemType, str]] = {
    StorageUnavailable: (
        DATABASE_UNAVAILABLE,
        "The database is not available right now.",
    ),
    TransactionConflict: (
        TRANSACTION_CONFLICT,
        "The database rolled the change back because of a concurrent change.",
    ),
    OutcomeUnknown: (
        OUTCOME_UNKNOWN,
        "The connection to the database was lost during the commit.",
    ),
    StorageFull: (DATABASE_FULL, "The database is full: no space is left on its disk."),
}

# For exceptions that Starlette, FastAPI and routes raise without a detail.
_FRAMEWORK: Mapping[int, tuple[ProblemType, str]] = {
    404: (NO_SUCH_PATH, "There is nothing at this path."),
    405: (
        METHOD_NOT_ALLOWED,
        "This address does not support that method; see the Allow header.",
    ),
    406: (NOT_ACCEPTABLE, "The response is application/json, but the Accept header excludes it."),
}


# The details of exceptions that were raised without one.
_DEFAULT_DETAILS = {status.value: status.phrase for status in HTTPStatus}


def _meaning_of(error: HTTPException) -> tuple[ProblemType | int, str]:
    """Return the type and the detail. A route's own detail is used as it is."""
    if isinstance(error, HTTPProblem):
        return error.problem_type, error.detail
    if error.detail == _DEFAULT_DETAILS.get(error.status_code):
        known = _FRAMEWORK.get(error.status_code)
        return known or (error.status_code, phrase(error.status_code))
    return error.status_code, error.detail


def invalid(
    request: Request, errors: Sequence[Mapping[str, Any]], count: int | None = None
) -> Response:
    """Return a 422 that lists the errors. `count` is their total number."""
    detail = "The request is not valid."
    if count is not None and count > len(errors):
        detail += f" These are the first {len(errors)} of {count} errors."
    return problem(request.scope, INVALID_REQUEST, detail, errors=errors)


def _is_body_of_another_type(error: RequestValidationError) -> bool:
    """Return whether the body was not parsed because its Content-Type is not JSON: FastAPI then
    validates the raw bytes."""
    return isinstance(error.body, bytes) and any(
        each["loc"][0] == "body" for each in error.errors()
    )


def _is_form(request: Request) -> bool:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return media_type in {"multipart/form-data", "application/x-www-form-urlencoded"}


def _described(error: Mapping[str, Any]) -> dict[str, str]:
    kind = error["type"]
    location = error["loc"]
    if kind == "json_invalid":
        location = location[
            :1
        ]  # FastAPI adds the position in the text, which is not part of a JSON pointer
    kind, detail = _IN_JSON.get(kind) or (kind, error["msg"])
    return {
        "in": str(location[0]),
        "pointer": _pointer(location[1:]),
        "type": kind,
        "detail": detail,
    }


_IN_JSON: Mapping[str, tuple[str, str]] = {
    "json_invalid": ("json_invalid", "The body is not JSON in UTF-8."),
    # pydantic's text is about Python objects, which a client does not know.
    "model_attributes_type": ("model_type", "Input should be an object"),
}


def _pointer(location: Sequence[int | str]) -> str:
    """Return a JSON pointer as a URI fragment (RFC 6901, section 6). It ends before the first name
    that is too long."""
    pointer = "#"
    for part in location:
        text = str(part)
        if len(text) > MAX_NAME_LENGTH:
            break
        pointer += "/" + quote(text.replace("~", "~0").replace("/", "~1"), errors="replace")
    return pointer


def _allowed(request: Request) -> str:
    """Return the methods that the path supports, for a route that rejects a method by itself."""
    found = request.scope.get("effective_route")
    methods = set(found[0].methods) if found else set()
    methods = methods or {"GET"}
    return ", ".join(sorted(methods | ({"HEAD"} if "GET" in methods else set())))
