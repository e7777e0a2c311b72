"""Apps with random routes: each kind of dependency, parameter and response that FastAPI documents,
on routes, websockets, routers, nested routers, mounts and the app."""

import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any
from uuid import UUID

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
    HTTPException,
    Query,
    Request,
    Response,
    Security,
    UploadFile,
    WebSocket,
    params,
)
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse, StreamingResponse
from fastapi.security import APIKeyHeader, HTTPBearer, OAuth2PasswordBearer, SecurityScopes
from pydantic import BaseModel
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import HTTPConnection
from starlette.routing import Mount, Route, WebSocketRoute

from entrypoints.http.kernel.fast_path.fast_path import FastPath
from entrypoints.http.kernel.framework_internals import iter_route_contexts
from entrypoints.http.kernel.middleware.request_context import RequestContext
from entrypoints.http.kernel.openapi import describe
from entrypoints.http.kernel.problems.error_handlers import add_error_handlers
from entrypoints.http.kernel.routing.routing_rules import RoutingRules

Events = list[Any]
PATHS = [
    "/",
    "/items",
    "/items/",
    "/items/{key}",
    "/items/special",
    "/items/{key}/parts",
    "/numbers/{key:int}",
    "/uuids/{key:uuid}",
    "/files/{key:path}",
]
# Of the dependencies, so many are of the kinds that the fast path takes.
FAST_DEPENDENCIES = 8
PREFIXES = ["", "/v1", "/v1/{tenant}", "/v2"]
METHODS = [["GET"], ["GET"], ["POST"], ["PUT"], ["GET", "POST"], ["DELETE"], ["HEAD"]]


class Teapot(Exception): ...


class Thing(BaseModel):
    name: str = "?"
    count: int = 0


class Public(BaseModel):
    name: str


@dataclass
class Point:
    x: int = 1
    tags: list[str] = field(default_factory=list)


def dependencies(events: Events) -> list[Any]:
    """Return dependencies of every kind, which note that they ran."""

    async def of_the_request(request: Request) -> str:
        events.append(("of_the_request", request.method, request.url.path, request.path_params))
        if "x-deny" in request.headers:
            raise HTTPException(403, "denied", {"X-Reason": "deny"})
        if "x-teapot" in request.headers:
            raise Teapot
        return "request"

    async def of_nothing() -> str:
        events.append("of_nothing")
        return "nothing"

    def another(number: int) -> Any:
        async def dependency() -> int:
            events.append(number)
            return number

        return Depends(dependency)

    def sync() -> str:
        events.append("sync")
        return "sync"

    async def with_yield(request: Request) -> AsyncIterator[str]:
        events.append("yield")
        try:
            yield "yield"
        except HTTPException as error:
            events.append(("yield saw", error.status_code))
            raise
        finally:
            events.append("yielded")

    def sync_yield() -> Iterator[str]:
        events.append("sync yield")
        yield "sync yield"
        events.append("sync yielded")

    async def with_query(limit: int = 1) -> int:
        events.append(("query", limit))
        return limit

    async def with_header(x_count: Annotated[int, Header()] = 0) -> int:
        events.append(("header", x_count))
        return x_count

    async def of_the_connection(connection: HTTPConnection) -> str:
        events.append(("of_the_connection", connection.url.path))
        return "connection"

    async def with_form(name: Annotated[str, Form()] = "-") -> str:
        events.append(("form", name))
        return name

    async def with_response(response: Response) -> None:
        response.headers["X-Set"] = "by a dependency"

    async def nested(
        one: Annotated[str, Depends(of_nothing)],
        again: Annotated[str, Depends(of_nothing, use_cache=False)],
    ) -> str:
        return f"{one} {again}"

    class OfAClass:
        def __init__(self, q: str = "q") -> None:
            events.append(("class", q))

        def __str__(self) -> str:
            return "class"

    class CallableObject:
        async def __call__(self, request: Request) -> str:
            events.append("callable")
            return "callable"

    oauth2 = OAuth2PasswordBearer("token", scopes={"read": "Read."}, auto_error=False)

    async def scoped(
        scopes: SecurityScopes, token: Annotated[str | None, Security(oauth2, scopes=["read"])]
    ) -> str:
        events.append(("scopes", scopes.scopes, token))
        return str(token)

    return [
        Depends(of_the_request),
        Depends(of_nothing),
        *(another(number) for number in range(FAST_DEPENDENCIES - 2)),
        Depends(of_nothing, use_cache=False),
        Depends(sync),
        Depends(with_yield),
        Depends(with_yield, scope="function"),
        Depends(sync_yield),
        Depends(with_query),
        Depends(with_header),
        Depends(of_the_connection),
        Depends(with_form),
        Depends(with_response),
        Depends(nested),
        Depends(OfAClass),
        Depends(CallableObject()),
        Depends(HTTPBearer()),
        Security(APIKeyHeader(name="X-Key")),
        Security(scoped, scopes=["write"]),
    ]


def endpoints(events: Events, needed: Any) -> list[tuple[Callable[..., Any], dict[str, Any]]]:
    """Return endpoints of every kind, with the options of their routes. They take what `needed`
    depends on; an `key` that the path does not have is in the query."""
    Needed = Annotated[Any, needed]  # noqa: N806

    def respond(**said: Any) -> Response:
        events.append({name: str(value) for name, value in said.items()})
        return JSONResponse(events[-1])

    async def fast(key: str) -> Response:
        return respond(key=key)

    async def fast_needing(it: Needed, key: str, request: Request) -> Response:
        noted = {key: str(request.path_params[key]) for key in sorted(request.path_params)}
        return respond(it=it, key=key, params=noted, method=request.method, path=request.url.path)

    async def fast_parameters(
        *,
        key: int,
        flag: bool = False,
        limit: Annotated[int, Query(ge=1, le=10, alias="Limit")] = 5,
        x_mark: Annotated[str | None, Header(max_length=5)] = None,
        x_list: Annotated[list[str] | None, Header()] = None,
        plain_header: Annotated[str, Header(convert_underscores=False)] = "-",
    ) -> Response:
        return respond(
            key=key, flag=flag, limit=limit, mark=x_mark, list=x_list, plain=plain_header
        )

    async def fast_uuid(key: UUID, request: Request) -> Response:
        return respond(
            key=key, kinds=[type(each).__name__ for each in request.path_params.values()]
        )

    async def fast_body(key: str, thing: Thing, request: Request) -> Response:
        return respond(key=key, thing=thing, body=await request.body(), json=await request.json())

    async def fast_raising(key: str, request: Request) -> Response:
        events.append("raising")
        error = request.headers.get("x-raise", "409")
        raise Teapot if error == "teapot" else HTTPException(int(error), headers={"X-At": "it"})

    async def fast_failing(key: str) -> Response:
        events.append("failing")
        raise ZeroDivisionError

    async def fast_promise(key: str) -> Response:
        return {"not": "a response", "key": key}  # type: ignore[return-value]

    async def fast_with_background(key: str) -> PlainTextResponse:
        tasks = BackgroundTasks()
        tasks.add_task(events.append, "background")
        return PlainTextResponse("later", background=tasks)

    async def fast_html(key: str) -> HTMLResponse:
        return HTMLResponse(f"<p>{key}</p>", headers={"X-Kind": "html"})

    async def fast_stream(key: str, request: Request) -> Response:
        async def pieces() -> AsyncIterator[bytes]:
            yield b"one "
            if "x-teapot" in request.headers:
                raise Teapot
            yield b"two"

        return StreamingResponse(pieces(), media_type="text/plain")

    async def url(key: str, request: Request) -> Response:
        return respond(base=request.base_url, root=request.url_for("root"))

    async def returns_dict(it: Needed, key: str) -> dict[str, Any]:
        return {"key": key, "it": str(it)}

    async def returns_model(it: Needed, key: str) -> Thing:
        return Thing(name=key)

    async def is_filtered(key: str) -> Any:
        return Thing(name=key, count=3)

    def sync(it: Needed, key: str) -> list[str]:
        events.append("sync endpoint")
        return [key, str(it)]

    async def dataclass(key: str) -> Point:
        return Point(tags=[key])

    async def not_annotated(key: str, response: Response, tasks: BackgroundTasks):  # type: ignore[no-untyped-def]
        response.headers["X-Set"] = key.encode("ascii", "replace").decode()
        tasks.add_task(events.append, "background")
        response.status_code = 202
        return {"key": key}

    async def queries(
        key: str,
        tags: Annotated[list[int] | None, Query()] = None,
        session: Annotated[str, Cookie()] = "-",
    ) -> Response:
        return respond(key=key, tags=tags, session=session)

    async def query_model(thing: Annotated[Thing, Query()]) -> Response:
        return respond(thing=thing)

    async def optional_body(key: str, thing: Thing | None = None) -> Response:
        return respond(key=key, thing=thing)

    async def two_bodies(key: str, thing: Thing, other: Annotated[int, Body()] = 1) -> Response:
        return respond(key=key, thing=thing, other=other)

    async def embedded(thing: Annotated[Thing, Body(embed=True)]) -> Response:
        return respond(thing=thing)

    async def of_bytes(content: Annotated[bytes, Body()]) -> Response:
        return respond(content=content)

    async def form(
        key: str, name: Annotated[str, Form(max_length=5)], count: Annotated[int, Form()] = 0
    ) -> Response:
        return respond(key=key, name=name, count=count)

    async def form_model(thing: Annotated[Thing, Form()]) -> Response:
        return respond(thing=thing)

    async def file(key: str, upload: UploadFile) -> Response:
        return respond(key=key, name=upload.filename, content=await upload.read())

    async def form_and_files(
        it: Needed,
        name: Annotated[str, Form()],
        uploads: list[UploadFile],
        upload: Annotated[bytes | None, File()] = None,
    ) -> Response:
        sizes = [each.size for each in uploads]
        return respond(it=it, name=name, sizes=sizes, upload=upload)

    return [
        (fast, {}),
        (fast_needing, {}),
        (fast_parameters, {}),
        (fast_body, {}),
        (fast_uuid, {}),
        (fast_raising, {}),
        (fast_failing, {}),
        (fast_promise, {"status_code": 201}),
        (fast_promise, {"response_model": dict[str, str]}),
        (fast_with_background, {}),
        (fast_html, {}),
        (fast_stream, {}),
        (url, {}),
        (returns_dict, {}),
        (returns_model, {}),
        (is_filtered, {"response_model": Public, "status_code": 201}),
        (sync, {}),
        (dataclass, {}),
        (not_annotated, {}),
        (queries, {}),
        (query_model, {}),
        (optional_body, {}),
        (two_bodies, {}),
        (embedded, {}),
        (of_bytes, {}),
        (form, {}),
        (form_model, {}),
        (file, {}),
        (form_and_files, {}),
    ]


def websockets(events: Events, needed: Any) -> list[Callable[..., Any]]:
    """Return endpoints of websockets; they take what `needed` depends on."""
    Needed = Annotated[Any, needed]  # noqa: N806

    async def opens(websocket: WebSocket, it: Needed, key: str = "-") -> None:
        await websocket.accept()
        await websocket.send_text(f"{it} {key}")

    async def closes(websocket: WebSocket, key: int = 0) -> None:
        events.append(("closes", key))
        await websocket.close(4000)

    async def fails(websocket: WebSocket, it: Needed) -> None:
        events.append("fails")
        raise HTTPException(403)

    return [opens, opens, closes, fails]


class RandomApp:
    """An app, and what its dependencies and endpoints noted. The same seed makes the same app."""

    def __init__(self, seed: int, *, fast_path: bool) -> None:
        self.events: Events = []
        self._random = random.Random(seed)
        self._count = 0
        # Of three apps in four, most is of the kinds that the fast path takes.
        self._is_plain = seed % 4 > 0
        chosen = self._random
        self._dependencies = dependencies(self.events)
        app = self.app = FastAPI(
            dependencies=self._some(0.2),
            redirect_slashes=False,
            openapi_url=None,
            telemetry={"tracing": False, "metrics": False, "logs": False},
        )
        self._add_routes(app.router, 3)
        for _ in range(2):
            router = APIRouter(prefix=chosen.choice(["", "/r"]), dependencies=self._some(0.2))
            self._add_routes(router, 3)
            inner = APIRouter(dependencies=self._some(0.2))
            self._add_routes(inner, 2)
            router.include_router(inner, prefix="/inner", dependencies=self._some(0.2))
            for prefix in chosen.sample(PREFIXES, chosen.choice([1, 1, 2])):
                app.include_router(router, prefix=prefix, dependencies=self._some(0.3))
        self._mount()

        @app.get("/root", name="root")
        async def root() -> Response:
            return Response("root")

        if fast_path:
            app.add_middleware(FastPath, fastapi=app)
        app.add_middleware(RoutingRules, fastapi=app)
        app.add_middleware(RequestContext)
        if chosen.random() < 0.3:
            app.middleware("http")(self._pass_through)
        add_error_handlers(app)
        self._add_handlers()
        describe(app, wants_keys=chosen.random() < 0.5)
        if seed % 8 == 7:
            for each in self._dependencies[:FAST_DEPENDENCIES]:
                app.dependency_overrides[each.dependency] = lambda: "overridden"

    def _some(self, probability: float) -> list[Any]:
        if self._random.random() >= probability:
            return []
        return [self._dependency() for _ in range(self._random.choice([1, 1, 2]))]

    def _dependency(self) -> Any:
        fast = self._is_plain and self._random.random() < 0.97
        return self._random.choice(self._dependencies[: FAST_DEPENDENCIES if fast else None])

    def _add_routes(self, router: APIRouter, count: int) -> None:
        for _ in range(count):
            known, paths = endpoints(self.events, self._dependency()), PATHS
            if self._is_plain:
                known = [each for each in known if each[0].__name__.startswith("fast")]
                known += [each for each in known if each[0].__name__ == "fast_body"] * 3
                paths = [each for each in PATHS if ":" not in each] * 3 + PATHS
            endpoint, options = self._random.choice(known)
            if "uuid" in endpoint.__name__:
                paths = [each for each in paths if "{key" not in each or "uuid" in each]
            self._count += 1
            endpoint.__name__ = f"endpoint{self._count}"
            takes_body = "fast_body" in endpoint.__qualname__
            path, methods = self._random.choice(paths), self._random.choice(METHODS)
            methods = ["POST"] if takes_body else methods
            router.add_api_route(
                path,
                endpoint,
                methods=methods[:1] if len(methods) > 1 and path == "/" else methods,
                dependencies=self._some(0.3),
                generate_unique_id_function=_unique_id,
                **options,
            )
        router.add_api_websocket_route(
            self._random.choice(["/feed", "/feed/{key}", *PATHS]),
            self._random.choice(websockets(self.events, self._dependency())),
            dependencies=self._some(0.2),
        )

    def _mount(self) -> None:
        mounted = FastAPI(dependencies=self._some(0.2), openapi_url=None, redirect_slashes=False)
        self._add_routes(mounted.router, 2)
        if self._random.random() < 0.5:
            mounted.middleware("http")(self._pass_through)

        async def plain(request: Request) -> Response:
            return PlainTextResponse(f"{request.method} {request.url.path}")

        async def bare(scope: Any, receive: Any, send: Any) -> None:
            await send({"type": "http.response.start", "status": 200})
            await send({"type": "http.response.body", "body": b"bare"})

        router = APIRouter(dependencies=self._some(0.2))
        self._add_routes(router, 2)
        passing = Middleware(BaseHTTPMiddleware, dispatch=self._pass_through)
        self.app.router.routes.append(Mount("/router", router, middleware=[passing]))
        self.app.mount("/mounted", mounted)
        self.app.mount("/bare", bare)
        self.app.router.routes.append(
            Mount("/plain", routes=[Route("/get", plain), Route("/post", plain, methods=["POST"])])
        )

    def _add_handlers(self) -> None:
        events, chosen = self.events, self._random

        async def teapot(request: Request, _error: Exception) -> Response:
            events.append(("teapot", await request.body()))
            return PlainTextResponse("teapot", 418)

        def sync_teapot(_request: Request, _error: Exception) -> Response:
            return PlainTextResponse("sync teapot", 418)

        async def conflict(_request: Request, error: Exception) -> Response:
            return PlainTextResponse(f"conflict {error}", 409)

        async def raises(_request: Request, _error: Exception) -> Response:
            raise HTTPException(410, "gone")

        async def invalid(_request: Request, error: RequestValidationError) -> Response:
            events.append((repr(error.errors())[:1000], repr(error.body)[:100]))
            return JSONResponse(jsonable_encoder(error.errors(), custom_encoder={float: str}), 422)

        if chosen.random() < 0.5:
            self.app.exception_handler(RequestValidationError)(invalid)
        handlers: list[Any] = [teapot, sync_teapot, raises]
        self.app.add_exception_handler(Teapot, chosen.choice(handlers))
        if chosen.random() < 0.5:
            self.app.add_exception_handler(409, chosen.choice([conflict, handlers[2]]))

    async def _pass_through(
        self, request: Request, call_next: Callable[[Request], Awaitable[Response]]
    ) -> Response:
        response = await call_next(request)
        response.headers["X-Passed"] = request.method
        return response


def _unique_id(route: Any) -> str:
    return f"{route.name}_{'_'.join(sorted(route.methods))}_{route.path_format}"


OTHER_PATHS = ["/plain/get", "/plain/post", "/bare/x", "/no", "/mounted/items", "/mounted/"]
UUIDS = ["01890a5d-ac96-774b-bcce-b302099a8057", "01890A5DAC96774BBCCEB302099A8057"]
# The first is what most routes take.
VALUES = ["1", "abc", "special", "a%2Fb", "%FF", "9" * 5_000, "%00", "x%0A", UUIDS[0]]
QUERIES = [
    "key=1",
    "",
    "key=7&key=8",
    "key=x&flag=yes&Limit=3",
    "key=1&Limit=99",
    "limit=x",
    "key=%FF",
    "tags=1&tags=2&key=1",
    "name=n&count=2&key=1",
    "q=%00&key=1",
    "key=1&limit=99999999999",
]
HEADERS: list[list[tuple[str, str]]] = [
    [],
    [("X-Deny", "1")],
    [("X-Teapot", "1")],
    [("X-Raise", "teapot")],
    [("X-Mark", "one"), ("X-Mark", "two")],
    [("X-List", "one"), ("X-List", "two"), ("plain_header", "p")],
    [("X-Mark", "too long")],
    [("X-Count", "many")],
    [("Authorization", "Bearer token"), ("X-Key", "k"), ("Cookie", "session=s")],
    [("Accept", "text/html")],
    [("Accept", "application/json;q=0")],
]
BODIES: list[tuple[bytes, str | None]] = [
    (b'{"name": "n", "count": 1}', "application/json"),
    (b"", None),
    (b'{"name": "n", "name": "m", "count": 1.0}', "application/json; charset=utf-8"),
    (b'{"thing": {"name": "n"}, "other": 2}', "application/json"),
    (b'{"name": "n"}', "application/merge-patch+json"),
    (b'{"name": "n"}', "text/plain"),
    (b'{"name": "n"}', None),
    (b'{"name": "n"', "application/json"),
    (b'{"name": 1}', "application/json"),
    (b'{"name": 1, "count": "x"}', "application/json"),
    (b'[{"name": "n"}]', "application/json"),
    (b'{"name": "\xff"}', "application/json"),
    (b'{"name": "\\ud800"}', "application/json"),
    ('{"name": "n"}'.encode("utf-16"), "application/json"),
    (b"[" * 50_000, "application/json"),
    (b'{"count": NaN}', "application/json"),
    (b'{"count": 1e400}', "application/json"),
    (b'"text"', "application/json"),
    (b"null", "application/json"),
]
_FORM = "application/x-www-form-urlencoded"
_PARTS = "multipart/form-data; boundary=x"
_NAME = b'--x\r\nContent-Disposition: form-data; name="name"\r\n\r\nn\r\n'
_FILES = [
    b'--x\r\nContent-Disposition: form-data; name="%b"; filename="f"\r\n\r\n\xff\r\n' % name
    for name in (b"upload", b"uploads")
]
FORMS: list[tuple[bytes, str | None]] = [
    (_NAME + b"".join(_FILES) + b"--x--\r\n", _PARTS),
    (b"name=n&count=1", _FORM),
    (b"name=too+long&count=x", _FORM),
    (b"&".join([b"name=n"] * 1_001), _FORM),
    (b"=&%&\xff=%00", _FORM),
    (_NAME + b"--x--\r\n", _PARTS),
    (_NAME + _FILES[1][:-3], _PARTS),
    (_NAME, "multipart/form-data"),
    (b"no parts", _PARTS),
    *BODIES[:2],
]


def _one(chosen: random.Random, options: list[Any]) -> Any:
    """Return the first most of the time."""
    return options[0] if chosen.random() < 0.9 else chosen.choice(options)


def _paths(routes: Any, mounted_at: str = "") -> Iterator[tuple[str, Any]]:
    for each in iter_route_contexts(routes):
        if isinstance(each.original_route, Mount):
            yield from _paths(each.original_route.routes, f"{mounted_at}{each.path}")
        else:
            yield f"{mounted_at}{each.path_format or each.path}", each


def _takes_form(route: Any) -> bool:
    body = getattr(route.original_route, "body_field", None)
    return body is not None and isinstance(body.field_info, params.Form)


def _address(chosen: random.Random, path: str) -> str:
    path = _one(chosen, [path, *OTHER_PATHS, *(f"/mounted{each}" for each in PATHS)])
    value = _one(chosen, UUIDS if "uuid" in path else VALUES)
    path = path.replace("{key}", value).replace("{tenant}", "t")
    path += _one(chosen, ["", "/", "%0A"])
    query = _one(chosen, QUERIES)
    return f"{path}?{query}" if query else path


def random_requests(
    app: FastAPI, seed: int, count: int
) -> Iterator[tuple[str, str, list[tuple[str, str]], bytes]]:
    """Yield method, address, headers and body of random requests to the app."""
    chosen = random.Random(seed)
    routes = [each for each in _paths(app.routes) if each[1].methods]
    mounts = [each.path for each in app.routes if isinstance(each, Mount)]
    # Most routes are not mounted, and most requests are for them.
    most = [each for each in routes if not each[0].startswith(tuple(mounts))]
    for _ in range(count):
        path, route = chosen.choice(chosen.choice([most, most, most, routes]))
        method = chosen.choice(sorted(route.methods))
        method = _one(chosen, [method, "GET", "POST", "PUT", "HEAD", "DELETE"])
        body, kind = b"", None
        if _takes_form(route):
            body, kind = chosen.choice(FORMS)
        elif method in ("POST", "PUT"):
            body, kind = chosen.choice([BODIES[0], chosen.choice(BODIES)])
        headers = [*_one(chosen, HEADERS), ("X-Request-ID", "one")]
        headers += [("Content-Type", kind)] if kind else []
        yield method, _address(chosen, path), headers, body


def random_handshakes(
    app: FastAPI, seed: int, count: int
) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Yield address and headers of random handshakes with the app's websockets."""
    chosen = random.Random(seed)
    paths = [path for path, route in _paths(app.routes) if _is_websocket(route)]
    for _ in range(count):
        headers = [*_one(chosen, HEADERS), ("X-Request-ID", "one")]
        yield _address(chosen, chosen.choice(paths)), headers


def _is_websocket(route: Any) -> bool:
    return isinstance(route.original_route, WebSocketRoute)
