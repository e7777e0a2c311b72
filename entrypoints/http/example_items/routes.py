"""The routes of example items."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from starlette.responses import Response

from application.example_items.service import ExampleItemService
from entrypoints.http.example_items.schemas import (
    ExampleItemCreate,
    ExampleItemPatch,
    ExampleItemRead,
)
from entrypoints.http.kernel.provided import provided
from entrypoints.http.kernel.resources.changing import Change
from entrypoints.http.kernel.resources.documented import changes, creates, deletes, lists, reads
from entrypoints.http.kernel.resources.reading import Cursor, Limit, Read

router = APIRouter(prefix="/api/v1/examples/database-example", tags=["Example items"])
Service = Annotated[ExampleItemService, Depends(provided("example_item_service"))]
# With a path that is no UUID, there is nothing at the address: a 404, not FastAPI's 422.
ITEM = "/{item_id:uuid}"


@router.get("/", **lists(ExampleItemRead))
async def list_example_items(
    service: Service, read: Read, limit: Limit = 50, after: Cursor = None
) -> Response:
    """List items in creation order."""
    return read.page(await service.page(after, limit), limit, ExampleItemRead)


@router.post("/", **creates(ExampleItemRead))
async def create_example_item(
    service: Service, change: Change, body: ExampleItemCreate
) -> Response:
    """Create an item."""
    return await change.create(ExampleItemRead, service.create, body.name, body.description)


@router.get(ITEM, **reads(ExampleItemRead))
async def get_example_item(service: Service, read: Read, item_id: UUID) -> Response:
    """Get an item."""
    return read.one(await service.get(item_id), ExampleItemRead)


@router.put(ITEM, **changes(ExampleItemRead))
async def replace_example_item(
    service: Service, change: Change, item_id: UUID, body: ExampleItemCreate
) -> Response:
    """Replace an item."""
    return await change.change(
        ExampleItemRead, service.change, item_id, change.expected, **body.values()
    )


@router.patch(ITEM, **changes(ExampleItemRead))
async def change_example_item(
    service: Service, change: Change, item_id: UUID, body: ExampleItemPatch
) -> Response:
    """Change an item in part."""
    return await change.change(
        ExampleItemRead, service.change, item_id, change.expected, **body.values()
    )


@router.delete(ITEM, **deletes())
async def delete_example_item(service: Service, change: Change, item_id: UUID) -> Response:
    """Delete an item."""
    return await change.delete(service.delete, item_id, change.expected)
