"""What the fast path uses of FastAPI and Starlette without a promise of theirs is as it was.

A failure here, after an upgrade, says what to look at in
`entrypoints/http/kernel/framework_internals.py`.
"""

import ast
import re
from dataclasses import fields
from pathlib import Path
from typing import Annotated

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI, Header, Query
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer
from pydantic import BaseModel, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from entrypoints.http.kernel.framework_internals import (
    Dependant,
    error_handlers_of,
    get_route_path,
    has_nothing_but,
    included_routes,
    invalid_body,
    iter_route_contexts,
    set_body,
)

ENTRYPOINTS = Path(__file__).parents[3] / "entrypoints"
UNDOCUMENTED = re.compile(
    r"(fastapi|starlette)\.(.*\.)?_\w+|fastapi\.dependencies(\.\w+)?"
    r"|fastapi\.routing\.(RouteContext|iter_route_contexts)"
)


def test_one_module_imports_what_is_not_documented() -> None:
    found = set()
    for path in ENTRYPOINTS.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module, *(f"{node.module}.{each.name}" for each in node.names)]
                if any(UNDOCUMENTED.fullmatch(name) for name in names):
                    found.add(path.name)

    assert found == {"framework_internals.py"}


def test_a_dependant_says_all_that_it_said() -> None:
    names = {each.name for each in fields(Dependant)}

    assert names == {
        *("call", "name", "path", "scope", "use_cache", "concurrency", "dependencies"),
        *("path_params", "query_params", "header_params", "cookie_params", "body_params"),
        *("request_param_name", "websocket_param_name", "http_connection_param_name"),
        *("response_param_name", "background_tasks_param_name", "security_scopes_param_name"),
        *("own_oauth_scopes", "parent_oauth_scopes"),
    }, "FastAPI solves dependencies otherwise: look whether the fast path leaves out something new"


def app_with_an_included_route() -> FastAPI:
    inner, outer = APIRouter(prefix="/inner"), APIRouter(prefix="/outer")

    @inner.get("/{number}")
    async def endpoint(
        number: int,
        request: Request,
        q: Annotated[int, Query(alias="Q")] = 1,
        x_mark: Annotated[str | None, Header()] = None,
    ) -> Response:
        return Response()

    app = FastAPI(openapi_url=None, dependencies=[Depends(HTTPBearer())])
    outer.include_router(inner, dependencies=[Depends(lambda: None)])
    app.include_router(outer, prefix="/app")
    return app


def test_a_route_that_was_included_says_all_that_routers_add() -> None:
    app = app_with_an_included_route()
    (declared,) = iter_route_contexts(app.routes)

    assert declared.path_format == "/app/outer/inner/{number}", "the prefixes"
    assert declared.path_regex.fullmatch("/app/outer/inner/7"), "how the path is matched"
    assert list(declared.param_convertors) == ["number"]
    assert declared.methods == {"GET"}
    assert len(declared.dependant.dependencies) == 2, "a dependency of a router is lost"
    assert declared.dependency_overrides_provider is app
    assert declared.max_body_size is None
    assert isinstance(declared.original_route, APIRoute)
    assert [each.alias for each in declared.dependant.query_params] == ["Q"]
    assert [each.alias for each in declared.dependant.header_params] == ["x-mark"]
    assert declared.dependant.request_param_name == "request"
    value, errors = declared.dependant.query_params[0].validate("x")
    assert (value, errors[0]["type"]) == (None, "int_parsing"), "what validates a parameter"


def test_a_router_that_was_included_can_be_looked_into() -> None:
    app = app_with_an_included_route()

    assert [len(routes) for routes in included_routes(app.routes)] == [1, 1], (
        "a route that is added later would not be seen"
    )


def test_what_is_not_named_has_to_be_empty() -> None:
    assert has_nothing_but(Dependant(call=len, own_oauth_scopes=[]), "call")
    assert not has_nothing_but(Dependant(call=len, own_oauth_scopes=["x"]), "call")
    assert not has_nothing_but(Dependant(call=len, response_param_name="r"), "call")


@pytest.mark.parametrize(
    ("path", "root_path", "expected"),
    [("/a/b", "", "/a/b"), ("/a/b", "/a", "/b"), ("/ab", "/a", "/ab"), ("/a", "/a", "")],
)
def test_a_route_sees_the_path_without_the_root_path(
    path: str, root_path: str, expected: str
) -> None:
    assert get_route_path({"path": path, "root_path": root_path}) == expected


def test_error_handlers_are_found_by_class_and_by_status() -> None:
    app = FastAPI()

    async def handler(_request: Request, _error: Exception) -> Response:
        return Response()

    for key in (418, KeyError, 500, Exception):
        app.add_exception_handler(key, handler)
    by_class, by_status = error_handlers_of(app)

    assert by_status == {418: handler}
    assert by_class[KeyError] is handler
    assert Exception not in by_class


async def test_an_invalid_body_is_the_error_that_it_was() -> None:
    class Body(BaseModel):
        numbers: list[int]

    app, raised, sent = FastAPI(openapi_url=None), [], {"numbers": ["x", 1, None]}

    @app.post("/numbers")
    async def endpoint(body: Body) -> None: ...

    @app.exception_handler(RequestValidationError)
    async def note(request: Request, error: RequestValidationError) -> Response:
        try:
            Body.model_validate(error.body, from_attributes=True)
        except ValidationError as again:
            (declared,) = iter_route_contexts(app.routes)
            ours = invalid_body(again, error.body, declared.dependant, request)
            raised.extend([(str(each), each.errors(), each.body) for each in (error, ours)])
        return Response()

    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://test"
    ) as client:
        await client.post("/numbers", json=sent)

    theirs, ours = raised
    assert ours == theirs, "FastAPI raises another error for an invalid body: see invalid_body"


async def test_starlette_still_returns_a_body_that_was_set() -> None:
    """`FastArguments` reads the body itself, and an endpoint or error handler may ask for it."""
    request = Request({"type": "http", "method": "POST", "headers": []})
    set_body(request, b"{}")
    assert await request.body() == b"{}", "Request.body() does not return Request._body"
