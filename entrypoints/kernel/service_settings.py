"""The settings that the kernel reads, and how an app's settings come from the environment."""

import re
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    EnvSettingsSource,
    SettingsConfigDict,
)
from sqlalchemy import URL

from adapters.sql.kernel.addresses.database_url import names_memory, parse_database_url
from entrypoints.kernel.host_names import parse_host_names
from entrypoints.kernel.project import project

_OF_THE_TESTS = "APP_TEST_"


class InvalidSettings(Exception):
    """The service cannot start with these settings. The text has one line for each invalid setting,
    with its name and with no value that may be secret."""


class ServiceSettings(BaseSettings):
    """The kernel's settings, from the environment (`APP_...`) or else from the file `.env`.

    An app's own settings are a subclass: `entrypoints/settings.py`."""

    model_config = SettingsConfigDict(
        env_prefix="APP_",
        env_file=".env",
        extra="ignore",
        frozen=True,
        # An invalid value may hold a password.
        hide_input_in_errors=True,
    )

    database_url: SecretStr = SecretStr("sqlite+aiosqlite:///./app.db")
    database_pool_size: Annotated[int, Field(ge=1, le=1000)] = 5
    database_connection_max_age_seconds: Annotated[int, Field(ge=1)] = 1800
    database_echo: bool = False
    # PostgreSQL truncates `application_name` to 63 bytes.
    service_name: Annotated[str, Field(pattern=r"^[ -~]{1,63}$")] = project().name
    request_deadline_seconds: Annotated[float, Field(ge=0.1, le=3600)] = 5
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    workers: Annotated[int, Field(ge=1, le=256)] = 1
    max_body_bytes: Annotated[int, Field(ge=1)] = 65_536
    keep_alive_seconds: Annotated[int, Field(ge=1, le=3600)] = 75
    # A string, because pydantic-settings would expect a list in the environment as JSON.
    allowed_hosts: str = "*"
    root_path: str = ""
    idempotency_key_hours: Annotated[int, Field(ge=1, le=8760)] = 24
    shutdown_grace_seconds: Annotated[int, Field(ge=1, le=3600)] = 10
    api_keys: Path | None = None
    allow_anonymous: bool = False
    docs_enabled: bool = True
    telemetry_enabled: bool = False

    @property
    def uses_memory(self) -> bool:
        """Whether the service runs without a database."""
        return self.database_url.get_secret_value() == "memory://"

    @property
    def uses_sqlite(self) -> bool:
        """Whether the database is an embedded one."""
        return self._url is not None and self._url.get_backend_name() == "sqlite"

    @property
    def database_label(self) -> str:
        """The database for a log line: the file, or the server and the name; no user, no secret."""
        if self._url is None:
            return "memory"
        if self.uses_sqlite:
            return self._url.database or "SQLite in memory"
        host = self._url.host or self._url.query.get("host") or "localhost"
        port = f":{self._url.port}" if self._url.port else ""
        return f"{self._url.database} on {host if isinstance(host, str) else ','.join(host)}{port}"

    @property
    def _url(self) -> URL | None:
        text = self.database_url.get_secret_value()
        return None if text == "memory://" else parse_database_url(text)

    @property
    def host_names(self) -> list[str]:
        """The allowed host names, in which `*` means any."""
        return parse_host_names(self.allowed_hosts)

    @field_validator("workers")
    @classmethod
    def _must_share_a_database(cls, value: int, info: ValidationInfo) -> int:
        url = info.data.get("database_url")
        if value > 1 and url and _is_of_one_process(url.get_secret_value()):
            raise ValueError(
                "a database in memory belongs to one process, and each worker would have its own: "
                "use 1 worker, or a database in a file or on a server"
            )
        return value

    @field_validator("allowed_hosts")
    @classmethod
    def _must_name_hosts(cls, value: str) -> str:
        parse_host_names(value)
        return value

    @field_validator("root_path")
    @classmethod
    def _must_be_a_path(cls, value: str) -> str:
        path = value.rstrip("/")
        if not re.fullmatch(r"(/[\w.~-]+)*", path, re.ASCII) or {".", ".."} & {*path.split("/")}:
            raise ValueError(
                "write a path such as /shop: it begins with a slash, and has letters, "
                "digits and . _ ~ - only"
            )
        return path

    @field_validator("api_keys", mode="before")
    @classmethod
    def _empty_means_none(cls, value: object) -> object:
        return value or None

    @field_validator("database_url")
    @classmethod
    def _must_name_an_async_driver(cls, value: SecretStr) -> SecretStr:
        if value.get_secret_value() != "memory://":
            parse_database_url(value.get_secret_value())
        return value


_Settings = TypeVar("_Settings", bound=ServiceSettings)


def _is_of_one_process(database_url: str) -> bool:
    return database_url == "memory://" or names_memory(parse_database_url(database_url))


def settings_from_environment(kind: type[_Settings]) -> _Settings:
    """Return the settings of this class. Raises `InvalidSettings`."""
    try:
        return kind()
    except ValidationError as error:
        raise InvalidSettings("\n".join(_lines(error))) from None
    except UnicodeDecodeError:
        raise InvalidSettings(".env cannot be read: it is not text in UTF-8") from None
    except OSError as error:
        raise InvalidSettings(f".env cannot be read: {error.strerror}") from None


def unknown_settings(kind: type[ServiceSettings]) -> Iterator[str]:
    """Yield a sentence for each `APP_...` in the environment or in `.env` that is not a setting of
    this class. It suggests the name that was probably meant, and never has the value."""
    known = {f"APP_{name.upper()}" for name in kind.model_fields}
    sources = {
        "the environment": EnvSettingsSource(kind).env_vars,
        ".env": DotEnvSettingsSource(kind).env_vars,
    }
    for place, variables in sources.items():
        for name in sorted(variable.upper() for variable in variables):
            if name.startswith("APP_") and not name.startswith(_OF_THE_TESTS) and name not in known:
                similar = get_close_matches(name, known, n=1)
                hint = f": did you mean {similar[0]}?" if similar else ""
                yield f"{name}, in {place}, is not a setting and has no effect{hint}"


def _lines(error: ValidationError) -> Iterator[str]:
    for each in error.errors(include_input=False, include_url=False):
        name = "APP_" + "_".join(str(part) for part in each["loc"]).upper()
        yield f"{name}: {each['msg']}"
