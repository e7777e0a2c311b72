"""The routes of products, as a team writes them."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from starlette.responses import Response

from entrypoints.http.kernel.provided import provided
from entrypoints.http.kernel.resources.changing import Change
from entrypoints.http.kernel.resources.documented import changes, creates, deletes, lists, reads
from entrypoints.http.kernel.resources.reading import Cursor, Limit, Read
from entrypoints.http.kernel.resources.schemas import MergePatch, RequestBody, VersionedRead, text
from tests.kernel.warehouse.application import ProductService
from tests.kernel.warehouse.domain import DESCRIPTION, NAME

PATH = "/api/v1/products"

Name = Annotated[str, text(NAME, "Blue lamp")]
Description = Annotated[str | None, text(DESCRIPTION, "Stands on the desk in the hall.")]


class ProductCreate(RequestBody):
    """A new product, or all that a client may set of an existing one."""

    name: Name
    description: Description = None


class ProductPatch(MergePatch):
    """What to change of a product; null clears the description."""

    name: Name = ""
    description: Description = None


class ProductRead(VersionedRead):
    """A product as it is returned."""

    name: Name
    description: Description


router = APIRouter(prefix=PATH, tags=["Products"])
Service = Annotated[ProductService, Depends(provided("product_service"))]
PRODUCT = "/{product_id:uuid}"


@router.get("/", **lists(ProductRead))
async def list_products(
    service: Service, read: Read, limit: Limit = 50, after: Cursor = None
) -> Response:
    """List products in creation order."""
    return read.page(await service.page(after, limit), limit, ProductRead)


@router.post("/", **creates(ProductRead))
async def create_product(service: Service, change: Change, body: ProductCreate) -> Response:
    """Create a product."""
    return await change.create(ProductRead, service.create, body.name, body.description)


@router.get(PRODUCT, **reads(ProductRead))
async def get_product(service: Service, read: Read, product_id: UUID) -> Response:
    """Get a product."""
    return read.one(await service.get(product_id), ProductRead)


@router.put(PRODUCT, **changes(ProductRead))
async def replace_product(
    service: Service, change: Change, product_id: UUID, body: ProductCreate
) -> Response:
    """Replace a product."""
    return await change.change(
        ProductRead, service.change, product_id, change.expected, **body.values()
    )


@router.patch(PRODUCT, **changes(ProductRead))
async def change_product(
    service: Service, change: Change, product_id: UUID, body: ProductPatch
) -> Response:
    """Change a product in part."""
    return await change.change(
        ProductRead, service.change, product_id, change.expected, **body.values()
    )


@router.delete(PRODUCT, **deletes())
async def delete_product(service: Service, change: Change, product_id: UUID) -> Response:
    """Delete a product."""
    return await change.delete(service.delete, product_id, change.expected)
