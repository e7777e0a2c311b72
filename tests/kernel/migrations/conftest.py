from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.kernel.database_settings import engine_for
from tests.kernel.migrations.own_migrations import use_migrations_of


@pytest.fixture(params=["sqlite_file_url", "empty_postgresql_url"])
def empty_url(request: pytest.FixtureRequest) -> str:
    """A database of each kind, with nothing in it."""
    return str(request.getfixturevalue(request.param))


@pytest.fixture
async def empty_engine(empty_url: str) -> AsyncIterator[AsyncEngine]:
    engine = engine_for(empty_url)
    yield engine
    await engine.dispose()


@pytest.fixture
def versions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory for migrations of the test's own, which are run instead of the service's."""
    directory = tmp_path / "versions"
    directory.mkdir()
    use_migrations_of(directory, monkeypatch)
    return directory
