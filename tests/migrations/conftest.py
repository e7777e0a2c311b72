from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.database_settings import engine_for


@pytest.fixture(params=["sqlite_file_url", "empty_postgresql_url"])
def empty_url(request: pytest.FixtureRequest) -> str:
    """A database of each kind, with nothing in it."""
    return str(request.getfixturevalue(request.param))


@pytest.fixture
async def empty_engine(empty_url: str) -> AsyncIterator[AsyncEngine]:
    engine = engine_for(empty_url)
    yield engine
    await engine.dispose()
