import traceback
from urllib.parse import unquote

import pytest
from pydantic import SecretStr

from adapters.sql.kernel.addresses.database_url import parse_database_url
from adapters.sql.kernel.engine import init_database
from tests.kernel.database_settings import DatabaseSettings, engine_for

PASSWORD = "correct-horse"


@pytest.mark.parametrize(
    "url",
    [
        "sqlite+aiosqlite://",
        "sqlite+aiosqlite:///:memory:",
        "sqlite+aiosqlite:///data/service.db",
        "postgresql+asyncpg://user:word@localhost:5432/shop?ssl=require",
        "postgresql+asyncpg://user:word/with/slashes@localhost/shop",
    ],
)
def test_an_async_driver_is_taken(url: str) -> None:
    assert unquote(parse_database_url(url).render_as_string(hide_password=False)) == url


@pytest.mark.parametrize(
    ("driver", "used"),
    [
        ("postgres", "postgresql+asyncpg"),
        ("postgresql", "postgresql+asyncpg"),
        ("sqlite", "sqlite+aiosqlite"),
    ],
)
def test_an_address_without_a_driver_gets_the_async_one(driver: str, used: str) -> None:
    assert parse_database_url(f"{driver}:///service.db").drivername == used


@pytest.mark.parametrize(
    ("driver", "async_driver"),
    [
        ("postgresql+psycopg", "postgresql+asyncpg"),
        ("postgresql+psycopg2", "postgresql+asyncpg"),
        ("sqlite+pysqlite", "sqlite+aiosqlite"),
    ],
)
def test_a_sync_driver_is_rejected_by_naming_the_async_one(driver: str, async_driver: str) -> None:
    with pytest.raises(ValueError, match="not the async one") as raised:
        parse_database_url(f"{driver}:///service.db")

    assert f"write {async_driver}:// instead of {driver}://" in str(raised.value)


@pytest.mark.parametrize("driver", ["mysql", "mysql+aiomysql", "memory", "oracle"])
def test_another_database_is_rejected_by_naming_those_that_work(driver: str) -> None:
    with pytest.raises(ValueError, match="is not supported") as raised:
        parse_database_url(f"{driver}://user:word@localhost/shop")

    assert "sqlite+aiosqlite://" in str(raised.value)
    assert "postgresql+asyncpg://" in str(raised.value)


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("sqlite://data/service.db", "write three slashes"),
        ("sqlite://user@/service.db", "write three slashes"),
        ("sqlite:///service.db?mode=ro", "write file: before the path, and uri=true beside mode"),
        ("sqlite:///file:service.db?uri=true&mode=wr", "mode is not one of: rwc, rw, ro, memory"),
        ("sqlite:///file:service.db?uri=yes", "uri is not one of: true, false"),
        ("sqlite:///file:service.db?uri=true&cash=shared", "'cash' is not known: write cache"),
        ("sqlite:///service.db?timeout=5", "set APP_REQUEST_DEADLINE_SECONDS"),
        ("sqlite:///service.db?journal_mode=wal", "'journal_mode' is not known"),
        ("sqlite:///service.db?uri", "not of the form"),
    ],
)
def test_what_sqlite_would_not_heed_is_rejected(address: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parse_database_url(address)


@pytest.mark.parametrize("mode", ["rwc", "rw", "ro", "memory"])
def test_a_uri_of_sqlite_is_taken(mode: str) -> None:
    url = parse_database_url(f"sqlite:///file:service.db?uri=true&mode={mode}&cache=private")

    assert url.query["mode"] == mode


@pytest.mark.parametrize("text", ["", "service.db", "://", "postgresql+asyncpg://localhost:port/x"])
def test_a_malformed_url_is_rejected(text: str) -> None:
    with pytest.raises(ValueError, match="not of the form"):
        parse_database_url(text)


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql+psycopg://user:{PASSWORD}@localhost/shop",
        f"postgresql://user:p@ss{PASSWORD}@localhost/shop",
        f"postgresql://user@host:{PASSWORD}@localhost/shop",
        f"postgresql://user:x@{PASSWORD}?{PASSWORD}=1@localhost/shop",
        f"postgresql://user:{PASSWORD}@localhost/shop?sslmode={PASSWORD}",
        f"postgresql://user@localhost/shop?password={PASSWORD}&sslmde=require",
        f"postgresql://user@localhost:{PASSWORD}/shop",
        f"postgresql://user@a:{PASSWORD},b/shop",
        f"sqlite://user:{PASSWORD}@localhost/shop",
        f"mysql://user:{PASSWORD}@localhost/shop",
        f"postgresql+asyncpg://user:{PASSWORD}@localhost:port/shop",
        f"postgresql+asyncpg//user:{PASSWORD}@localhost/shop",
        f"user:{PASSWORD}@localhost",
        PASSWORD,
    ],
)
async def test_a_rejection_does_not_show_the_password(url: str) -> None:
    with pytest.raises(ValueError, match="database") as raised:
        await init_database(DatabaseSettings(SecretStr(url)))

    assert PASSWORD not in repr(raised.value)
    assert PASSWORD not in "".join(traceback.format_exception(raised.value))


def test_no_representation_shows_the_password() -> None:
    assert_hidden(f"postgresql+asyncpg://user:{PASSWORD}@localhost/shop")
    assert_hidden(f"postgresql+asyncpg:///shop?host=localhost&user=user&password={PASSWORD}")


def assert_hidden(url: str) -> None:
    engine = engine_for(url)
    for each in (
        DatabaseSettings(SecretStr(url)),
        parse_database_url(url),
        engine,
        engine.url,
        engine.pool,
    ):
        assert PASSWORD not in repr(each)
        assert PASSWORD not in str(each)
