"""The address of a database, as `APP_DATABASE_URL` gives it."""

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

ASYNC_DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}


def parse_database_url(text: str) -> URL:
    """Return the address; raise `ValueError`, without repeating the address, if it is none or
    names a driver that is not async."""
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise ValueError(
            "the database URL is not of the form driver://user:password@host:port/database"
        ) from None
    backend = url.get_backend_name()
    if backend not in ASYNC_DRIVERS:
        raise ValueError(
            f"the database {backend!r} is not supported: use "
            + ", ".join(f"{driver}://" for driver in ASYNC_DRIVERS.values())
            + " or memory://"
        )
    if url.drivername != ASYNC_DRIVERS[backend]:
        raise ValueError(
            f"the database driver {url.drivername!r} is not the async one: "
            f"write {ASYNC_DRIVERS[backend]}:// instead of {url.drivername}://"
        )
    return url
