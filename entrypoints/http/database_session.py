"""Plain SQLAlchemy sessions, for a route or a background worker that wants no repository.

    @app.get("/count")
    async def count(session: Annotated[AsyncSession, Depends(get_async_session)]) -> int: ...

Commit in the route: what a session has not committed when the request ends is rolled back.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from starlette.requests import HTTPConnection

from application.errors import OutcomeUnknown


async def get_async_sessionmaker(connection: HTTPConnection) -> async_sessionmaker[AsyncSession]:
    """Return what makes sessions on the app's database. A background worker calls
    `app.state.container.sessionmaker()` for the same.

    Raises `RuntimeError` if the service runs on `memory://`, where there is no database.
    """
    container = connection.app.state.container
    if container.settings().uses_memory:
        raise RuntimeError("APP_DATABASE_URL=memory:// has no database sessions")
    sessionmaker: async_sessionmaker[AsyncSession] = container.sessionmaker()
    return sessionmaker


async def get_async_session(
    sessionmaker: Annotated[async_sessionmaker[AsyncSession], Depends(get_async_sessionmaker)],
) -> AsyncIterator[AsyncSession]:
    """Yield a session of this request's own, and close it when the request has ended."""
    async with sessionmaker() as session:
        try:
            yield session
        except asyncio.CancelledError as error:
            # Only the route knows whether that struck a commit.
            raise error from OutcomeUnknown("cancelled with a session in use")
