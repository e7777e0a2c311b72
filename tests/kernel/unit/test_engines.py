from sqlalchemy.pool import QueuePool

from adapters.sql.kernel.engine import is_in_memory
from tests.kernel.database_settings import engine_for

POSTGRESQL = "postgresql+asyncpg://user:word@localhost/shop"


def pool_size(url: str, asked_for: int) -> int:
    pool = engine_for(url, pool_size=asked_for).pool
    assert isinstance(pool, QueuePool)
    return pool.size()


def test_the_pool_size_applies_to_a_server() -> None:
    assert pool_size(POSTGRESQL, 7) == 7


def test_the_pool_size_does_not_apply_to_sqlite() -> None:
    assert pool_size("sqlite+aiosqlite://", 7) == 1


def test_an_in_memory_database_is_distinguished_from_a_file() -> None:
    in_memory = ["", "/:memory:", "/file::memory:?uri=true", "/file:shop?mode=memory&uri=true"]
    for path in in_memory:
        assert is_in_memory(engine_for(f"sqlite+aiosqlite://{path}"))
    assert not is_in_memory(engine_for("sqlite+aiosqlite:///service.db"))
    assert not is_in_memory(engine_for(POSTGRESQL))
