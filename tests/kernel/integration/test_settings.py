"""The settings: each is read, does something, and stands in `.env.example` with its default."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

import entrypoints.kernel.command_line
from adapters.sql.kernel.engine import init_database
from entrypoints.__main__ import main
from entrypoints.asgi import app as app_from_environment
from entrypoints.kernel.server.config import ServerConfig
from entrypoints.kernel.service_settings import unknown_settings
from entrypoints.settings import AppSettings
from tests.kernel.integration.service import PROJECT, settings_for

DOCUMENTED = PROJECT / ".env.example"
POSTGRESQL = "postgresql+asyncpg://service:hunter2@db:5432/items"
# A value for every setting that is not its default.
OTHER_VALUES: dict[str, tuple[str, Any]] = {
    "database_url": (POSTGRESQL, SecretStr(POSTGRESQL)),
    "database_pool_size": ("7", 7),
    "database_connection_max_age_seconds": ("60", 60),
    "database_echo": ("true", True),
    "service_name": ("shop", "shop"),
    "request_deadline_seconds": ("2.5", 2.5),
    "host": ("0.0.0.0", "0.0.0.0"),
    "port": ("9000", 9000),
    "workers": ("3", 3),
    "idempotency_key_hours": ("48", 48),
    "max_body_bytes": ("1000", 1000),
    "keep_alive_seconds": ("120", 120),
    "allowed_hosts": ("api.shop.test, *.store.test",) * 2,
    "root_path": ("/shop/", "/shop"),
    "shutdown_grace_seconds": ("30", 30),
    "api_keys": ("keys.txt", Path("keys.txt")),
    "allow_anonymous": ("true", True),
    "docs_enabled": ("false", False),
    "telemetry_enabled": ("true", True),
}


def defaults() -> AppSettings:
    return AppSettings(_env_file=None)


def name_of(field: str) -> str:
    return f"APP_{field.upper()}"


def test_no_setting_is_left_out_of_these_tests() -> None:
    assert set(OTHER_VALUES) == set(AppSettings.model_fields)


@pytest.mark.parametrize("field", OTHER_VALUES)
def test_each_is_read_from_the_environment(monkeypatch: pytest.MonkeyPatch, field: str) -> None:
    text, value = OTHER_VALUES[field]
    assert getattr(defaults(), field) != value

    monkeypatch.setenv(name_of(field), text)

    assert getattr(defaults(), field) == value


@pytest.mark.parametrize("field", OTHER_VALUES)
def test_each_is_read_from_the_file(field: str) -> None:
    text, value = OTHER_VALUES[field]
    Path(".env").write_text(f"{name_of(field)}={text}\nANOTHER_PROGRAM=1\nAPP_UNKNOWN=1\n")

    assert getattr(AppSettings(), field) == value


def test_the_environment_comes_before_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("APP_PORT=1\n")
    monkeypatch.setenv("APP_PORT", "2")

    assert AppSettings().port == 2


def test_the_file_names_every_setting_and_no_other() -> None:
    lines = DOCUMENTED.read_text().splitlines()
    names = [line.partition("=")[0] for line in lines if line and not line.startswith("#")]

    assert sorted(names) == sorted(map(name_of, AppSettings.model_fields))


def test_the_file_gives_the_defaults() -> None:
    assert AppSettings(_env_file=DOCUMENTED) == defaults()


def test_every_setting_in_the_file_is_explained() -> None:
    paragraphs = DOCUMENTED.read_text().strip().split("\n\n")

    for paragraph in paragraphs:
        assert paragraph.startswith("#")


async def test_the_engine_is_built_from_the_settings() -> None:
    settings = settings_for(POSTGRESQL, database_pool_size="7", database_echo="true")
    engine = await init_database(settings)

    assert engine.url.host == "db"
    assert "7" in engine.pool.status()
    assert engine.echo
    assert not (await init_database(settings_for(POSTGRESQL))).echo


def test_the_server_is_run_as_the_settings_say(monkeypatch: pytest.MonkeyPatch) -> None:
    for field in (
        "host",
        "port",
        "workers",
        "shutdown_grace_seconds",
        "max_body_bytes",
        "keep_alive_seconds",
        "allow_anonymous",
    ):
        monkeypatch.setenv(name_of(field), OTHER_VALUES[field][0])
    configs: list[ServerConfig] = []

    def serve_nothing(config: ServerConfig) -> int:
        configs.append(config)
        return 0

    monkeypatch.setattr(entrypoints.kernel.command_line, "run_workers", serve_nothing)
    monkeypatch.setattr("signal.signal", lambda *_: None)
    monkeypatch.setattr(entrypoints.kernel.command_line, "configure_logging", lambda *_: None)

    assert main([]) == 0

    (config,) = configs
    assert (config.host, config.port, config.workers) == ("0.0.0.0", 9000, 3)
    assert (config.loop, config.http) == ("uvloop", "httptools")
    assert (config.timeout_graceful_shutdown, config.max_body_bytes) == (30, 1000)
    assert config.timeout_keep_alive == 120


@pytest.mark.parametrize(("enabled", "routes"), [("true", True), ("false", False)])
def test_the_docs_are_there_as_the_settings_say(
    monkeypatch: pytest.MonkeyPatch, enabled: str, routes: bool
) -> None:
    monkeypatch.setenv("APP_DATABASE_URL", "memory://")
    monkeypatch.setenv("APP_DOCS_ENABLED", enabled)
    monkeypatch.setattr("entrypoints.kernel.app_start.configure_logging", lambda *_: None)

    paths = {getattr(route, "path", None) for route in app_from_environment().routes}

    assert ("/docs" in paths) is routes


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("postgresql://service:hunter2@db/items?sslmode=hunter2", "sslmode is not one of: disable"),
        (
            "postgresql://service:hunter2@db/items?sslmde=require",
            "'sslmde' is not known: .*sslmode",
        ),
        ("postgresql+psycopg2://service:hunter2@db/items", r"write postgresql\+asyncpg://"),
        ("postgresql+psycopg://service:hunter2@db/items", r"write postgresql\+asyncpg://"),
        ("postgres+asyncpg://service:hunter2@db/items", r"write postgresql\+asyncpg://"),
        ("sqlite:///data.db?timeout=hunter2", "timeout has no effect: set APP_REQUEST_DEADLINE"),
        ("sqlite+pysqlite:///hunter2.db", r"write sqlite\+aiosqlite:// instead"),
        ("mysql+aiomysql://service:hunter2@db/items", "'mysql' is not supported"),
        ("memory://hunter2", "not supported"),
        ("hunter2", "not of the form driver://"),
        ("", "not of the form driver://"),
        ("://service:hunter2@db", "not of the form driver://"),
        ("postgresql+asyncpg://service:hunter2@db:port/items", "not of the form driver://"),
        ("postgresql+asyncpg:service:hunter2", "not of the form driver://"),
    ],
)
def test_an_address_that_cannot_be_used_is_rejected_without_its_secrets(
    url: str, message: str
) -> None:
    with pytest.raises(ValidationError, match=message) as rejection:
        settings_for(url)

    texts = [str(rejection.value), repr(rejection.value)]
    texts += [str(rejection.value.errors(include_input=False)), str(rejection.value.__cause__)]
    assert "hunter2" not in "".join(texts)


@pytest.mark.parametrize(
    "url",
    [
        "memory://",
        "sqlite+aiosqlite://",
        "sqlite+aiosqlite:///:memory:",
        "sqlite+aiosqlite:///./app.db",
        "sqlite+aiosqlite:////var/lib/items.db",
        POSTGRESQL,
        "postgres://service:word@db:5432/items?sslmode=require",
        "postgresql+asyncpg://db",
        "postgresql+asyncpg://service:p%40ss@[::1]:5432/items",
    ],
)
def test_an_address_that_can_be_used_is_taken(url: str) -> None:
    assert settings_for(url).database_url.get_secret_value() == url


async def test_the_password_is_in_no_text_of_the_settings_or_of_the_engine() -> None:
    settings = settings_for(POSTGRESQL)
    engine = await init_database(settings)

    for thing in (settings, settings.model_dump(), engine, engine.url, engine.pool):
        assert "hunter2" not in str(thing)
        assert "hunter2" not in repr(thing)
    assert "hunter2" not in settings.model_dump_json()


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("port", "-1"),
        ("port", "65536"),
        ("port", "http"),
        ("workers", "0"),
        ("workers", "257"),
        ("database_pool_size", "0"),
        ("database_pool_size", "1001"),
        ("database_echo", "perhaps"),
        ("idempotency_key_hours", "0"),
        ("idempotency_key_hours", "8761"),
        ("docs_enabled", ""),
        ("root_path", "shop"),
        ("root_path", "/a//b"),
        ("root_path", "/a/../b"),
        ("root_path", "/sh op"),
        ("root_path", "/shop?x"),
        ("root_path", "https://shop.test/shop"),
    ],
)
def test_other_values_are_rejected(field: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name_of(field), text)

    with pytest.raises(ValidationError) as rejection:
        defaults()

    (error,) = rejection.value.errors()
    assert error["loc"] == (field,)


def test_settings_do_not_change() -> None:
    settings = defaults()

    with pytest.raises(ValidationError):
        settings.port = 1  # type: ignore[misc]


@pytest.mark.parametrize(
    "url",
    [
        "memory://",
        "sqlite+aiosqlite://",
        "sqlite+aiosqlite:///:memory:",
        "sqlite+aiosqlite:///file::memory:?cache=shared&uri=true",
        "sqlite+aiosqlite:///file:items?mode=memory&cache=shared&uri=true",
    ],
)
def test_several_workers_cannot_share_a_memory(url: str) -> None:
    with pytest.raises(ValidationError, match="belongs to one process") as rejection:
        settings_for(url, workers="3")

    assert rejection.value.errors()[0]["loc"] == ("workers",)
    assert settings_for(url, workers="1").workers == 1


@pytest.mark.parametrize("url", ["sqlite+aiosqlite:///./app.db", POSTGRESQL])
def test_several_workers_share_a_file_or_a_server(url: str) -> None:
    assert settings_for(url, workers="3").workers == 3


def test_names_that_are_no_settings_are_named_without_their_values(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("APP_PROT=hunter2\nOTHER=1\nAPP_PORT=1\napp_workers=1\n")
    monkeypatch.setenv("APP_DATABSE_URL", "hunter2")
    monkeypatch.setenv("APP_XYZZY", "hunter2")
    monkeypatch.setenv("APP_TEST_DATABASE_URL", "hunter2")

    assert list(unknown_settings(AppSettings)) == [
        "APP_DATABSE_URL, in the environment, is not a setting and has no effect: "
        "did you mean APP_DATABASE_URL?",
        "APP_XYZZY, in the environment, is not a setting and has no effect",
        "APP_PROT, in .env, is not a setting and has no effect: did you mean APP_PORT?",
    ]


@pytest.mark.parametrize(
    ("url", "label"),
    [
        ("memory://", "memory"),
        ("sqlite+aiosqlite://", "SQLite in memory"),
        ("sqlite+aiosqlite:///./app.db", "./app.db"),
        (POSTGRESQL, "items on db:5432"),
        (f"{POSTGRESQL}?application_name=hunter2", "items on db:5432"),
        (
            "postgresql+asyncpg:///items?host=/run/postgresql&user=hunter2",
            "items on /run/postgresql",
        ),
    ],
)
def test_the_label_of_a_database_has_no_secret(url: str, label: str) -> None:
    assert settings_for(url).database_label == label
