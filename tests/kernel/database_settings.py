from dataclasses import dataclass

from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.sql.kernel.addresses.database_url import parse_database_url
from adapters.sql.kernel.engine import new_engine


@dataclass(frozen=True)
class DatabaseSettings:
    """As much of the settings as an engine needs."""

    database_url: SecretStr
    database_pool_size: int = 5
    database_echo: bool = False
    request_deadline_seconds: float = 5
    database_connection_max_age_seconds: int = 1800
    service_name: str = "async-database-service"


def engine_from(settings: DatabaseSettings) -> AsyncEngine:
    """Return what `init_database` does, without making a folder."""
    return new_engine(parse_database_url(settings.database_url.get_secret_value()), settings)


def engine_for(url: str, *, pool_size: int = 5, echo: bool = False) -> AsyncEngine:
    return engine_from(DatabaseSettings(SecretStr(url), pool_size, echo))
