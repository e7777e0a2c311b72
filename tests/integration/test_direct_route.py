"""A DirectRoute calls plain endpoints, and refuses all others when it is made."""

from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any

import fastapi.dependencies.utils
import httpx
import pytest
from fastapi import (
    APIRouter,
    BackgroundTasks,
    Body,
    Cookie,
    Depends,
    FastAPI,
    File,
    Form,
    Header,
    Query,
    Request,
    Response,
    Security,
    WebSocket,
)
from fastapi.security import HTTPBearer, SecurityScopes
from pydantic import BaseModel
from starlette.requests import HTTPConnection

from entrypoints.http.direct_route import DirectRoute
from entrypoints.http.example_items import example_item_service
from tests.integration.problem_document import errors_of, problem_of
from tests.integration.service import ITEMS, UNKNOWN_ID, bare_client_of, client_of, in_memory_only


class Model(BaseModel):
    text: str = "?"


async def plain(request: Request) -> str:
    return request.url.path


async def nothing() -> int:
    return 7


async def with_query(number: int = 1) -> int:
    return number


async def with_another(other: Annotated[int, Depends(nothing)]) -> int:
    return other


async def with_response(response: Response) -> None: ...


async def with_connection(connection: HTTPConnection) -> None: ...


async def with_scopes(scopes: SecurityScopes) -> None: ...


async def with_yield(request: Request) -> AsyncIterator[int]:
    yield 1


def synchronous(request: Request) -> int:
    return 1


class CallableObject:
    async def __call__(self, request: Request) -> int:
        return 1


def endpoints() -> dict[str, Callable[..., Any]]:
    def not_async() -> Response:
        return Response()

    async def two_bodies(one: Model, two: Model) -> Response:
        return Response()

    async def embedded(one: Annotated[Model, Body(embed=True)]) -> Response:
        return Response()

    async def form(text: Annotated[str, Form()]) -> Response:
        return Response()

    async def file(content: Annotated[bytes, File()]) -> Response:
        return Response()

    async def cookie(session: Annotated[str, Cookie()]) -> Response:
        return Response()

    async def background(tasks: BackgroundTasks) -> Response:
        return Response()

    async def response(response: Response) -> Response:
        return response

    async def connection(connection: HTTPConnection) -> Response:
        return Response()

    async def websocket(websocket: WebSocket) -> Response:
        return Response()

    async def scopes(scopes: SecurityScopes) -> Response:
        return Response()

    async def query_list(tags: Annotated[list[str], Query()]) -> Response:
        return Response()

    async def header_list(tags: Annotated[list[str], Header()]) -> Response:
        return Response()

    async def query_model(query: Annotated[Model, Query()]) -> Response:
        return Response()

    async def header_model(header: Annotated[Model, Header()]) -> Response:
        return Response()

    async def body_with_default(body: Model | None = None) -> Response:
        return Response()

    async def depends_on_sync(it: Annotated[Any, Depends(synchronous)]) -> Response:
        return Response()

    async def depends_on_yield(it: Annotated[Any, Depends(with_yield)]) -> Response:
        return Response()

    async def depends_on_query(it: Annotated[Any, Depends(with_query)]) -> Response:
        return Response()

    async def depends_on_another(it: Annotated[Any, Depends(with_another)]) -> Response:
        return Response()

    async def depends_on_response(it: Annotated[Any, Depends(with_response)]) -> Response:
        return Response()

    async def depends_on_connection(it: Annotated[Any, Depends(with_connection)]) -> Response:
        return Response()

    async def depends_on_scopes(it: Annotated[Any, Depends(with_scopes)]) -> Response:
        return Response()

    async def depends_on_an_object(it: Annotated[Any, Depends(CallableObject())]) -> Response:
        return Response()

    async def depends_on_a_class(it: Annotated[Any, Depends(Model)]) -> Response:
        return Response()

    async def security(it: Annotated[Any, Security(HTTPBearer())]) -> Response:
        return Response()

    return {name: each for name, each in locals().items() if callable(each)}


REFUSED = endpoints()


@pytest.mark.parametrize("name", REFUSED)
def test_another_signature_is_refused_when_the_route_is_made(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # FastAPI would ask for a package that forms need before it gives us a say.
    monkeypatch.setattr(fastapi.dependencies.utils, "ensure_multipart_is_installed", lambda: None)

    with pytest.raises(TypeError, match=name):
        DirectRoute("/", REFUSED[name], methods=["POST"])


def test_a_dependency_of_the_route_itself_is_refused() -> None:
    async def endpoint() -> Response:
        return Response()

    with pytest.raises(TypeError, match="endpoint"):
        DirectRoute("/", endpoint, dependencies=[Depends(plain)])


@pytest.fixture
def app() -> FastAPI:
    router = APIRouter(route_class=DirectRoute)

    @router.post("/all/{number}")
    async def everything(
        *,
        number: int,
        body: Model,
        path: Annotated[str, Depends(plain)],
        request: Request,
        flag: bool = False,
        x_mark: Annotated[str | None, Header()] = None,
    ) -> Response:
        return Response(f"{number} {body.text} {path} {request.method} {flag} {x_mark}")

    @router.get("/required")
    async def required(
        word: Annotated[str, Query(min_length=2)], x_mark: Annotated[int, Header()]
    ) -> Response:
        return Response(f"{word} {x_mark}")

    from entrypoints.http.error_handlers import add_error_handlers
    from entrypoints.http.request_context import RequestContext

    app = FastAPI()
    app.router.routes += router.routes
    app.add_middleware(RequestContext)
    add_error_handlers(app)
    return app


async def test_an_endpoint_gets_all_that_it_asks_for(app: FastAPI) -> None:
    async with bare_client_of(app) as client:
        answer = await client.post(
            "/all/3?flag=true", json={"text": "hello"}, headers={"X-Mark": "m"}
        )

    assert answer.text == "3 hello /all/3 POST True m"


async def test_defaults_stand_in_for_what_is_left_out(app: FastAPI) -> None:
    async with bare_client_of(app) as client:
        answer = await client.post("/all/3", json={})

    assert answer.text == "3 ? /all/3 POST False None"


async def test_all_that_is_wrong_is_named_at_once(app: FastAPI) -> None:
    async with bare_client_of(app) as client:
        missing = await client.get("/required")
        wrong = await client.get("/required?word=x", headers={"X-Mark": "y"})

        assert errors_of(missing) == [
            ("query", "#/word", "missing"),
            ("header", "#/x-mark", "missing"),
        ]
        assert errors_of(wrong) == [
            ("query", "#/word", "string_too_short"),
            ("header", "#/x-mark", "int_parsing"),
        ]
        problem_of(await client.post("/all/x", json={}), 404)


async def test_an_overridden_dependency_is_honoured(app: FastAPI) -> None:
    def another(request: Request) -> str:
        return "overridden"

    app.dependency_overrides[plain] = another
    async with bare_client_of(app) as client:
        answer = await client.post("/all/3", json={"text": "hello"})

    assert answer.text == "3 hello overridden POST False None"


@in_memory_only
async def test_the_service_of_the_items_can_be_overridden(storage_url: str) -> None:
    from entrypoints.http.app import create_app
    from tests.integration.service import settings_for

    class Removed:
        async def delete(self, item_id: object, versions: object) -> None:
            removed.append(str(item_id))

    removed: list[str] = []
    app = create_app(settings_for(storage_url))
    app.dependency_overrides[example_item_service] = Removed
    async with client_of(app) as client:
        answer: httpx.Response = await client.delete(f"{ITEMS}/{UNKNOWN_ID}")
        assert (answer.status_code, removed) == (204, [UNKNOWN_ID])
        # What needs no dependency is as ever.
        assert (await client.head("/health/live")).status_code == 200
        assert (await client.put("/health/live")).status_code == 405

        app.dependency_overrides.clear()
        problem_of(await client.delete(f"{ITEMS}/{UNKNOWN_ID}"), 404)
