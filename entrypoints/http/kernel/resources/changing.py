"""Responses to requests that change something."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Annotated, ParamSpec, TypeVar

from fastapi import Depends
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from application.kernel.versions import ANY, Versions
from domain.kernel.aggregate import Aggregate
from entrypoints.http.kernel.addresses import client_path
from entrypoints.http.kernel.resources.entity_tag import header_lines, versions_that_match
from entrypoints.http.kernel.resources.idempotency import key_of, once_per_key
from entrypoints.http.kernel.resources.reading import resource

_P = ParamSpec("_P")
_T = TypeVar("_T")
_A = TypeVar("_A", bound=Aggregate)


class ChangeRequest:
    """A request that may have the headers If-Match and Idempotency-Key. Each method calls a use
    case, once per key, and returns the response with its result.

    Raises `HTTPProblem` 400 if the Idempotency-Key is malformed.
    """

    def __init__(self, request: Request) -> None:
        self._request = request
        self._key = key_of(request)

    @property
    def expected(self) -> Versions:
        """The versions that If-Match names; any version without it."""
        if_match = header_lines(self._request.scope, b"if-match")
        return versions_that_match(if_match) if if_match else ANY

    async def create(
        self,
        model: type[BaseModel],
        use_case: Callable[_P, Awaitable[_A]],
        *arguments: _P.args,
        **options: _P.kwargs,
    ) -> Response:
        """Return 201 with the result of the use case, and its address in Location."""

        def created(entity: _A) -> Response:
            collection = client_path(self._request.scope).rstrip("/")
            return resource(entity, model, 201, {"Location": f"{collection}/{entity.id}"})

        return await self._respond(partial(use_case, *arguments, **options), created)

    async def change(
        self,
        model: type[BaseModel],
        use_case: Callable[_P, Awaitable[_A]],
        *arguments: _P.args,
        **options: _P.kwargs,
    ) -> Response:
        """Return 200 with the result of the use case."""

        def changed(entity: _A) -> Response:
            return resource(entity, model)

        return await self._respond(partial(use_case, *arguments, **options), changed)

    async def delete(
        self,
        use_case: Callable[_P, Awaitable[object]],
        *arguments: _P.args,
        **options: _P.kwargs,
    ) -> Response:
        """Return 204 without content."""
        return await self._respond(partial(use_case, *arguments, **options), _no_content)

    async def _respond(
        self, change: Callable[[], Awaitable[_T]], respond: Callable[[_T], Response]
    ) -> Response:
        if self._key is None:
            return respond(await change())
        return await once_per_key(self._request, self._key, change, respond)


def _no_content(_result: object) -> Response:
    return Response(status_code=204)


async def change_request(request: Request) -> ChangeRequest:
    return ChangeRequest(request)


Change = Annotated[ChangeRequest, Depends(change_request)]
