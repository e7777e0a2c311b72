"""Errors as problem details (RFC 9457)."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import orjson
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from entrypoints.http.kernel.addresses import client_path
from entrypoints.http.kernel.problems.problem_types import ProblemType, plain

MEDIA_TYPE = "application/problem+json"


class ProblemError(BaseModel):
    """One thing that is wrong with the request."""

    location: Literal["body", "query", "path", "header"] = Field(
        alias="in", description="The part of the request."
    )
    pointer: str = Field(
        description="The place in that part: a JSON pointer as URI fragment (RFC 6901, section 6).",
        examples=["#/name"],
    )
    type: str = Field(description="The kind of error. Stable, for programs.", examples=["too_long"])
    detail: str = Field(examples=["must have at most 200 characters"])


class Problem(BaseModel):
    """Problem details (RFC 9457)."""

    type: str = Field(
        description="The kind of problem. Stable, for programs.",
        examples=["urn:problem:not-found"],
    )
    title: str = Field(description="The meaning of the type.", examples=["Not found"])
    status: int = Field(examples=[404])
    detail: str = Field(examples=["There is no such book."])
    instance: str = Field(
        description="The path of the request.",
        examples=["/api/v1/books/01890a5d-ac96-774b-bcce-b302099a8057"],
    )
    request_id: str | None = Field(
        default=None,
        description="The request's id, as in the `X-Request-ID` header and in the log.",
        examples=["5f0c1e7a9d0b4c7e"],
    )
    errors: list[ProblemError] | None = Field(default=None, description="Only with 422.")


class HTTPProblem(HTTPException):
    """Raise it in a route or a dependency to respond with a problem of this type."""

    def __init__(
        self, problem_type: ProblemType, detail: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(problem_type.status, detail, headers)
        self.problem_type = problem_type


def problem(
    scope: Scope,
    problem_type: ProblemType | int,
    detail: str,
    *,
    errors: Sequence[Mapping[str, Any]] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return the problem document for a failed request. With a bare status, its type is
    `about:blank`: the problem means no more than its status."""
    if isinstance(problem_type, int):
        problem_type = plain(problem_type)
    content: dict[str, Any] = {
        "type": problem_type.uri,
        "title": problem_type.title,
        "status": problem_type.status,
        "detail": detail,
        "instance": client_path(scope),
        "request_id": scope.get("request_id"),
    }
    if errors is not None:
        content["errors"] = errors
    fields = {"Cache-Control": "no-store", **(headers or {})}
    if problem_type.retry_after is not None:
        fields["Retry-After"] = str(problem_type.retry_after)
    return Response(orjson.dumps(content), problem_type.status, fields, MEDIA_TYPE)


async def reject(response: Response, scope: Scope, receive: Receive, send: Send) -> None:
    """Send the response instead of the app's, to a request or to a websocket's handshake.

    If the server lacks ASGI's extension for the latter, the websocket is closed with 1008, "policy
    violation" (RFC 6455, section 7.4.1), which servers turn into a 403 without a body.
    """
    extensions = scope.get("extensions") or {}
    if scope["type"] == "websocket" and "websocket.http.response" not in extensions:
        await send({"type": "websocket.close", "code": 1008, "reason": ""})
    else:
        await response(scope, receive, send)
