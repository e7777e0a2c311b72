"""Plain FastAPI routes and mounted ones follow the same rules as all others."""

import httpx
from fastapi import APIRouter, Depends, FastAPI, Response
from fastapi.security import HTTPBearer

from tests.kernel.integration.problem_document import problem_of
from tests.kernel.integration.service import client_of, settings_for
from tests.kernel.warehouse.app import create_app


def app_with_plain_routes() -> FastAPI:
    app = create_app(settings_for("memory://"))
    router, mounted = APIRouter(), FastAPI()

    @router.get("/closed")
    async def closed() -> Response:
        return Response("in")

    @app.get("/plain")
    def plain() -> dict[str, int]:
        return {"a": 1}

    @app.post("/plain")
    def plain_post() -> dict[str, int]:
        return {"a": 1}

    mounted.get("/x")(plain)
    mounted.post("/x")(plain_post)
    app.include_router(router, prefix="/v1", dependencies=[Depends(HTTPBearer())])
    app.mount("/mounted", mounted)
    return app


async def test_a_dependency_of_include_router_is_not_skipped() -> None:
    async with client_of(app_with_plain_routes()) as client:
        assert (await client.get("/v1/closed")).status_code == 401
        response = await client.get("/v1/closed", headers={"Authorization": "Bearer x"})
        assert response.text == "in"


async def test_all_routes_follow_the_same_rules() -> None:
    async with client_of(app_with_plain_routes()) as client:
        for path in ("/plain", "/plain/", "/mounted/x", "/mounted/x/"):
            head: httpx.Response = await client.head(path)
            assert (head.status_code, head.content) == (200, b""), path
            assert (await client.get(path)).json() == {"a": 1}
            other = await client.delete(path)
            assert (other.status_code, other.headers["Allow"]) == (405, "GET, HEAD, POST")
            problem_of(await client.post(path, headers={"Accept": "text/html"}), 406)
