"""Health checks: liveness and readiness."""

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from entrypoints.http.kernel.openapi import header, headers, problems
from entrypoints.http.kernel.problems.problem import problem
from entrypoints.http.kernel.problems.problem_types import NOT_READY, SHUTTING_DOWN

router = APIRouter(tags=["Health"])


class Health(BaseModel):
    status: str = "ok"


NO_STORE = headers({"Cache-Control": header("Do not store.", "no-store")})


@router.get(
    "/health/live",
    summary="Is the process alive?",
    response_model=Health,
    responses={200: NO_STORE},
)
async def live() -> Response:
    return _ok()


@router.get(
    "/health/ready",
    summary="Can it serve requests? The database responds, with a usable schema.",
    response_model=Health,
    responses={200: NO_STORE, **problems(503)},
)
async def ready(request: Request) -> Response:
    if request.scope.get("state", {}).get("draining"):
        return problem(request.scope, SHUTTING_DOWN, "The service is shutting down.")
    if await request.app.state.container.readiness().is_ready():
        return _ok()
    detail = (
        "The database does not respond, or its schema is older than this version needs; the log "
        "has the reason. `python -m entrypoints db upgrade` migrates the schema."
    )
    return problem(request.scope, NOT_READY, detail)


def _ok() -> Response:
    return Response(
        b'{"status":"ok"}', headers={"Cache-Control": "no-store"}, media_type="application/json"
    )
