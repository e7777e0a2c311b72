"""The routes of example items."""

from functools import partial
from typing import Annotated
from uuid import UUID

import orjson
from fastapi import APIRouter, Depends, Header, Query
from fastapi.exceptions import RequestValidationError
from pydantic import WithJsonSchema
from starlette.requests import Request
from starlette.responses import Response

from application.example_items.service import ExampleItemService
from domain.example_item import ExampleItem
from entrypoints.http.example_items.schemas import (
    EXAMPLE_ID,
    ExampleItemCreate,
    ExampleItemPatch,
    ExampleItemRead,
    to_read,
)
from entrypoints.http.kernel.openapi import header, headers, links_to_item, problems
from entrypoints.http.kernel.resources.cursor import decode_cursor, encode_cursor
from entrypoints.http.kernel.resources.entity_tag import entity_tag, is_known, versions_that_match
from entrypoints.http.kernel.resources.idempotency import KEY_PARAMETER, REPLAYED, OncePerKey

# A client may keep an answer, and has to ask whether it still holds (RFC 9111, section 5.2.2.4).
REVALIDATED = {"Cache-Control": "private, no-cache"}

PATH = "/api/v1/examples/database-example/"
ITEM_PATH = PATH + "{item_id}"
# What is no UUID is nobody's address: a 404, where FastAPI's 422 would be an error of the client's.
ITEM_ROUTE = PATH + "{item_id:uuid}"

router = APIRouter(tags=["Example items"])


async def example_item_service(request: Request) -> ExampleItemService:
    service: ExampleItemService = request.app.state.container.example_item_service()
    return service


Service = Annotated[ExampleItemService, Depends(example_item_service)]
# Any text is taken, in one field or several: one that lists no tag matches nothing.
AS_ONE_FIELD = WithJsonSchema({"type": "string", "examples": ['"1"']})
IfMatch = Annotated[
    list[str] | None,
    AS_ONE_FIELD,
    Header(
        description="Change the item only if its ETag is one of these (RFC 9110, section 13.1.1).",
    ),
]
IfNoneMatch = Annotated[
    list[str] | None,
    AS_ONE_FIELD,
    Header(
        description="Answer 304 if the item's ETag is one of these (RFC 9110, section 13.1.2).",
    ),
]
CACHED = {"Cache-Control": header("Ask whether it still holds.", REVALIDATED["Cache-Control"])}
ETAG = {"ETag": header("Names the item's version, for If-Match and If-None-Match.", '"1"')}
LOCATION = {"Location": header("Where the item is.", PATH + EXAMPLE_ID)}
LINK = {
    "Link": header(
        'The next page, rel="next" (RFC 8288); not there on the last page.',
        f'<{PATH}?limit=50&cursor={encode_cursor(UUID(EXAMPLE_ID))}>; rel="next"',
        required=False,
    )
}


@router.get(
    PATH,
    summary="List items in creation order",
    response_model=list[ExampleItemRead],
    responses={
        200: headers(CACHED, LINK),
        **problems(406, 422, 503),
    },
)
async def list_example_items(
    request: Request,
    service: Service,
    limit: Annotated[int, Query(ge=1, le=200, description="At most so many items.")] = 50,
    cursor: Annotated[
        str | None, Query(description="From the Link of the page before, unaltered.")
    ] = None,
) -> Response:
    page = await service.page(_after(cursor), limit)
    fields = {}
    if page.next_after:
        query = f"limit={limit}&cursor={encode_cursor(page.next_after)}"
        fields["Link"] = f'<{request.scope.get("root_path", "")}{PATH}?{query}>; rel="next"'
    return _json([to_read(item) for item in page.items], 200, fields)


@router.post(
    PATH,
    summary="Create an item",
    status_code=201,
    response_model=ExampleItemRead,
    responses={
        201: headers(CACHED, ETAG, LOCATION, REPLAYED)
        | links_to_item(ITEM_PATH, "get", "put", "patch", "delete"),
        **problems(400, 406, 409, 413, 415, 422, 503, 507),
    },
    openapi_extra=KEY_PARAMETER,
)
async def create_example_item(
    request: Request, service: Service, once: OncePerKey, body: ExampleItemCreate
) -> Response:
    def created(item: ExampleItem) -> Response:
        location = f"{request.scope.get('root_path', '')}{PATH}{item.id}"
        return _item(item, 201, {"Location": location})

    return await once(partial(service.create, body.name, body.description), created)


@router.get(
    ITEM_ROUTE,
    summary="Get an item",
    response_model=ExampleItemRead,
    responses={
        200: headers(CACHED, ETAG),
        304: headers(CACHED, ETAG, description="Not modified"),
        **problems(404, 406, 503),
    },
)
async def get_example_item(
    service: Service, item_id: UUID, if_none_match: IfNoneMatch = None
) -> Response:
    item = await service.get(item_id)
    if is_known(if_none_match, item.version):
        fields = {"ETag": entity_tag(item.version), **REVALIDATED}
        return Response(status_code=304, headers=fields)
    return _item(item)


@router.put(
    ITEM_ROUTE,
    summary="Replace an item",
    response_model=ExampleItemRead,
    responses={
        200: headers(CACHED, ETAG, REPLAYED),
        **problems(400, 404, 406, 409, 412, 413, 415, 422, 503, 507),
    },
    openapi_extra=KEY_PARAMETER,
)
async def replace_example_item(
    service: Service,
    once: OncePerKey,
    item_id: UUID,
    body: ExampleItemCreate,
    if_match: IfMatch = None,
) -> Response:
    versions = versions_that_match(if_match)
    change = partial(service.replace, item_id, body.name, body.description, versions)
    return await once(change, _item)


@router.patch(
    ITEM_ROUTE,
    summary="Change an item in part",
    response_model=ExampleItemRead,
    responses={
        200: headers(CACHED, ETAG, REPLAYED),
        **problems(400, 404, 406, 409, 412, 413, 415, 422, 503, 507),
    },
    openapi_extra=KEY_PARAMETER,
)
async def change_example_item(
    service: Service,
    once: OncePerKey,
    item_id: UUID,
    body: ExampleItemPatch,
    if_match: IfMatch = None,
) -> Response:
    change = partial(
        service.change,
        item_id,
        name=body.changed_name(),
        description=body.changed_description(),
        versions=versions_that_match(if_match),
    )
    return await once(change, _item)


@router.delete(
    ITEM_ROUTE,
    summary="Delete an item",
    status_code=204,
    responses={
        204: headers(REPLAYED),
        **problems(400, 404, 409, 412, 422, 503, 507),
    },
    openapi_extra=KEY_PARAMETER,
)
async def delete_example_item(
    service: Service, once: OncePerKey, item_id: UUID, if_match: IfMatch = None
) -> Response:
    change = partial(service.delete, item_id, versions_that_match(if_match))
    return await once(change, _no_content)


def _after(cursor: str | None) -> UUID | None:
    if cursor is None:
        return None
    try:
        return decode_cursor(cursor)
    except ValueError:
        raise RequestValidationError(
            [{"type": "cursor", "loc": ("query", "cursor"), "msg": "This is not a valid cursor."}]
        ) from None


def _no_content(_deleted: object) -> Response:
    return Response(status_code=204)


def _item(item: ExampleItem, status: int = 200, fields: dict[str, str] | None = None) -> Response:
    return _json(to_read(item), status, {"ETag": entity_tag(item.version), **(fields or {})})


def _json(content: object, status: int, fields: dict[str, str]) -> Response:
    # The default is for a driver's own kind of UUID, which orjson does not take for one.
    body = orjson.dumps(content, default=str, option=orjson.OPT_UTC_Z)
    return Response(body, status, {**fields, **REVALIDATED}, "application/json")
