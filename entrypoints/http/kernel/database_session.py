"""Plain SQLAlchemy sessions, for a route or a background worker that needs no repository.

In a route:

    @router.get("/count")
    async def count(session: Annotated[AsyncSession, Depends(get_async_session)]) -> int: ...

In a worker, which has the app and no request:

    sessionmaker = await get_async_sessionmaker(app)
    async with sessionmaker() as session:
        ...

Call `await session.commit()` yourself before the route returns. What a session has not committed by
the end of the request is rolled back. A later commit, in a dependency that ends after the response,
could fail after the client has got a success response.

An error of SQLAlchemy that the route does not catch gets the same response as in a use case: 503
while the database is down, 409 for a violated unique or foreign key, and so on.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Annotated, Any, cast

from fastapi import Depends, FastAPI
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from adapters.sql.kernel.errors.driver_errors import translated

_Handler = Callable[[Request, Any], Awaitable[Response]]


async def get_app(connection: HTTPConnection) -> FastAPI:
    """Return the app that serves the request."""
    app: FastAPI = connection.app
    return app


async def get_async_sessionmaker(
    app: Annotated[FastAPI, Depends(get_app)],
) -> async_sessionmaker[AsyncSession]:
    """Return what makes sessions on the app's database, while the app's lifespan lasts.

    Raises `RuntimeError` if the service runs on `memory://`, where there is no database.
    """
    container = app.state.container
    if container.settings().uses_memory:
        raise RuntimeError("APP_DATABASE_URL=memory:// has no database sessions")
    sessionmaker: async_sessionmaker[AsyncSession] = container.sessionmaker()
    return sessionmaker


async def get_async_session(
    sessionmaker: Annotated[async_sessionmaker[AsyncSession], Depends(get_async_sessionmaker)],
) -> AsyncIterator[AsyncSession]:
    """Yield a session of this request's own, and close it when the request has ended.

    It does not commit: call `await session.commit()` yourself. With
    `Depends(get_async_session, scope="function")` it is closed before the response is sent.
    """
    async with sessionmaker() as session:
        yield session


def add_session_error_handler(app: FastAPI) -> None:
    """Add the handler that responds to SQLAlchemy's errors as to the application's errors that they
    mean. An error without a meaning is a defect: a 500 with a traceback in the log."""

    @app.exception_handler(SQLAlchemyError)
    async def database_failed(request: Request, error: SQLAlchemyError) -> Response:
        meaning = translated(error)
        for kind in type(meaning).__mro__:
            if kind in app.exception_handlers:
                handler = cast(_Handler, app.exception_handlers[kind])
                return await handler(request, meaning)
        raise error
