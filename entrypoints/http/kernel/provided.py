from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from fastapi import FastAPI
from starlette.requests import Request

from application.kernel.registrations import NotRegistered
from entrypoints.http.kernel.framework_internals import Dependant, iter_route_contexts

_NAME = "provides"


def provided(name: str) -> Callable[[Request], Awaitable[Any]]:
    """Return a dependency on the part with this name of the app's container.

    Books = Annotated[BookService, Depends(provided("book_service"))]
    """

    async def provide(request: Request) -> Any:
        return getattr(request.app.state.container, name)()

    vars(provide)[_NAME] = name
    return provide


def assert_provided(app: FastAPI, container: object) -> None:
    """Raise `NotRegistered` if the container lacks what a route depends on by `provided`."""
    for route in iter_route_contexts(app.routes):
        for name in _needed(getattr(route, "dependant", None)):
            if not hasattr(container, name):
                raise NotRegistered(
                    f"the container has no `{name}`, on which the route {route.path} depends: "
                    "register it in entrypoints/container.py"
                )


def _needed(declared: Dependant | None) -> Iterator[str]:
    if declared is None:  # not a route of FastAPI
        return
    if name := getattr(declared.call, _NAME, None):
        yield name
    for each in declared.dependencies:
        yield from _needed(each)
