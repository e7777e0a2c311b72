"""Responses to requests that read: one resource, or a page of a collection."""

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from fastapi import Depends, Query
from pydantic import BaseModel, BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError
from starlette.requests import Request
from starlette.responses import Response

from application.kernel.repository import Page
from domain.kernel.aggregate import Aggregate
from entrypoints.http.kernel.addresses import client_path
from entrypoints.http.kernel.resources.cursor import decode_cursor, encode_cursor
from entrypoints.http.kernel.resources.entity_tag import entity_tag, header_lines, is_known
from entrypoints.http.kernel.resources.representation import to_json, to_json_array

REVALIDATED = {"Cache-Control": "private, no-cache"}
"""A client may store a response, and has to revalidate it before reuse (RFC 9111, section
5.2.2.4)."""


def _id_of(cursor: str) -> UUID:
    try:
        return decode_cursor(cursor)
    except ValueError:
        raise PydanticCustomError("cursor", "This is not a valid cursor.") from None


Limit = Annotated[int, Query(ge=1, le=200, description="Items per page.")]
Cursor = Annotated[
    UUID | None,
    BeforeValidator(_id_of),
    WithJsonSchema({"type": "string"}),
    Query(alias="cursor", description="The `cursor` of the previous page's `Link`, unchanged."),
]
"""The id after which the page begins. Give it the default None, for the first page."""


def resource(
    entity: Aggregate,
    model: type[BaseModel],
    status: int = 200,
    fields: Mapping[str, str] | None = None,
) -> Response:
    """Return the response with one aggregate, as JSON with the fields of the model."""
    headers = {"ETag": entity_tag(entity.version), **(fields or {}), **REVALIDATED}
    return Response(to_json(entity, model), status, headers, "application/json")


class ReadRequest:
    """A request for one resource or for a page of them."""

    def __init__(self, request: Request) -> None:
        self._request = request

    def one(self, entity: Aggregate, model: type[BaseModel]) -> Response:
        """Return the aggregate, or 304 if its ETag is in If-None-Match."""
        known = header_lines(self._request.scope, b"if-none-match")
        if known and is_known(known, entity.version):
            headers = {"ETag": entity_tag(entity.version), **REVALIDATED}
            return Response(status_code=304, headers=headers)
        return resource(entity, model)

    def page(self, page: Page[Any], limit: int, model: type[BaseModel]) -> Response:
        """Return a page, with a Link to the next one if there is one."""
        headers = {}
        if page.next_after:
            headers["Link"] = f'<{self._next(page.next_after, limit)}>; rel="next"'
        body = to_json_array(page.items, model)
        return Response(body, 200, headers | REVALIDATED, "application/json")

    def _next(self, after: UUID, limit: int) -> str:
        """Return the address of the next page: the same query with another cursor."""
        query = parse_qsl(self._request.scope["query_string"].decode("latin-1"), True)
        query = [(name, value) for name, value in query if name not in ("limit", "cursor")]
        query += [("limit", str(limit)), ("cursor", encode_cursor(after))]
        return f"{client_path(self._request.scope)}?{urlencode(query)}"


async def read_request(request: Request) -> ReadRequest:
    return ReadRequest(request)


Read = Annotated[ReadRequest, Depends(read_request)]
