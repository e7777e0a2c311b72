"""An app does not start if something is not registered, and says where to register it."""

from typing import Annotated, Any

import pytest
from fastapi import APIRouter, Depends, FastAPI, WebSocket

from application.kernel.registrations import NotRegistered
from entrypoints.http.dependencies import provided
from tests.kernel.integration.service import client_of, settings_for
from tests.kernel.warehouse import memory, sql
from tests.kernel.warehouse.app import create_app

MISSING = provided("book_service")
NOT_IN_THE_CONTAINER = (
    "the container has no `book_service`, on which the route /books depends: register it in "
    "entrypoints/container.py"
)


@pytest.mark.parametrize(
    ("url", "unit"),
    [
        ("memory://", memory.MemoryUnitOfWork),
        ("sqlite+aiosqlite://", sql.SqlReadingUnitOfWork),
        ("sqlite+aiosqlite://", sql.SqlUnitOfWork),
    ],
)
async def test_a_repository_that_an_adapter_lacks(
    url: str, unit: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    registered = unit.__init__

    def forget_suppliers(self: Any, *arguments: Any) -> None:
        registered(self, *arguments)
        del self.suppliers

    monkeypatch.setattr(unit, "__init__", forget_suppliers)
    app = create_app(settings_for(url))

    with pytest.raises(NotRegistered) as error:
        await app.router.lifespan_context(app).__aenter__()

    sentence = (
        f"{unit.__name__} has no `suppliers`: register its repository in "
        f"{unit.__module__.replace('.', '/')}.py"
    )
    assert str(error.value) == sentence
    assert app.state.why_it_cannot_start == f"the service cannot start: {sentence}"


def in_the_endpoint(app: FastAPI) -> None:
    @app.get("/books")
    async def list_books(service: Annotated[Any, Depends(MISSING)]) -> None: ...


def in_a_dependency(app: FastAPI) -> None:
    async def first(service: Annotated[Any, Depends(MISSING)]) -> None: ...

    @app.get("/books")
    async def list_books(first: Annotated[None, Depends(first)]) -> None: ...


def in_an_included_router(app: FastAPI) -> None:
    router = APIRouter()
    router.add_api_route("/books", lambda: None)
    app.include_router(router, dependencies=[Depends(MISSING)])


def in_a_websocket(app: FastAPI) -> None:
    @app.websocket("/books")
    async def books(socket: WebSocket, service: Annotated[Any, Depends(MISSING)]) -> None: ...


@pytest.mark.parametrize(
    "add_route", [in_the_endpoint, in_a_dependency, in_an_included_router, in_a_websocket]
)
async def test_a_service_that_the_container_lacks(add_route: Any) -> None:
    app = create_app(settings_for("memory://"))
    add_route(app)

    with pytest.raises(NotRegistered) as error:
        await app.router.lifespan_context(app).__aenter__()

    assert str(error.value) == NOT_IN_THE_CONTAINER


async def test_an_override_need_not_have_what_the_adapters_have() -> None:
    class NoUnitsOfWork:
        pass

    async with client_of(create_app(settings_for("memory://"), units_of_work=NoUnitsOfWork())):
        pass
