from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request


def provided(name: str) -> Callable[[Request], Awaitable[Any]]:
    """Return a dependency on what the app's container provides under this name.

    Books = Annotated[BookService, Depends(provided("book_service"))]
    """

    async def provide(request: Request) -> Any:
        return getattr(request.app.state.container, name)()

    return provide
