"""Parse and check the URL of a database, `APP_DATABASE_URL`."""

import re
from urllib.parse import parse_qsl

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from adapters.sql.kernel.addresses.postgresql_address import PostgresqlAddress
from adapters.sql.kernel.addresses.sqlite_address import check_sqlite_address

DRIVERS = {
    "postgresql": "postgresql+asyncpg",
    "postgres": "postgresql+asyncpg",
    "postgresql+asyncpg": "postgresql+asyncpg",
    "sqlite": "sqlite+aiosqlite",
    "sqlite+aiosqlite": "sqlite+aiosqlite",
}
_CREDENTIALS = ("user", "password", "dbname")
# https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS
_URL = re.compile(
    r"(?P<driver>\w+(?:\+\w+)?)://"
    # A password may contain / and ?, but "port/database?name=value" is no password.
    r"(?P<user>[^:/?@]*(?::(?!\d*(?:,[^@/?]*)?/[^@?]*\?[^@]*=)[^@]*)?@)?"
    r"(?P<hosts>[^/?]*)"
    r"(?P<database>/[^?]*)?"
    r"(?:\?(?P<query>.*))?",
    re.DOTALL,
)


def parse_database_url(text: str) -> URL:
    """Return the URL with the async driver. Several hosts are in its query, in SQLAlchemy's form
    `host=a:5432&host=b:5433`.

    Raises `ValueError`, whose text contains no secret, if the text is not a URL, if it names
    another driver, or if a part of it would have no effect.
    """
    parts = _URL.fullmatch(text)
    if parts is None:
        raise _not_a_url()
    driver = parts["driver"]
    backend = driver.partition("+")[0]
    if backend not in DRIVERS:
        raise ValueError(
            f"the database {backend!r} is not supported: "
            "use sqlite+aiosqlite://, postgresql+asyncpg:// or memory://"
        )
    if driver not in DRIVERS:
        raise ValueError(
            f"the database driver {driver!r} is not the async one: "
            f"write {DRIVERS[backend]}:// instead of {driver}://"
        )
    if parts["user"] and "@" in parts["hosts"] + (parts["database"] or "") + (parts["query"] or ""):
        raise ValueError(
            "the database URL has more than one @: write %40 for each in the user, the password "
            "and the parameters"
        )
    hosts = parts["hosts"].split(",") if "," in parts["hosts"] else []
    first = "" if hosts else parts["hosts"]
    try:
        url = make_url(
            f"{DRIVERS[driver]}://{parts['user'] or ''}{first}{parts['database'] or ''}"
        ).update_query_pairs([*(("host", host) for host in hosts), *_pairs(parts["query"])])
    except (ArgumentError, ValueError):
        raise _not_a_url() from None
    if url.get_backend_name() == "sqlite":
        check_sqlite_address(url)
        return url
    PostgresqlAddress.of(url)
    return _with_credentials_in_their_place(url)


def _with_credentials_in_their_place(url: URL) -> URL:
    """Move user, password and database from the query: SQLAlchemy hides no password there."""
    of_query = {name: str(url.query[name]) for name in _CREDENTIALS if name in url.query}
    return url.set(
        username=url.username or of_query.get("user"),
        password=url.password or of_query.get("password"),
        database=url.database or of_query.get("dbname"),
    ).difference_update_query(of_query)


def _pairs(query: str | None) -> list[tuple[str, str]]:
    return parse_qsl(query, keep_blank_values=True, strict_parsing=True) if query else []


def _not_a_url() -> ValueError:
    return ValueError(
        "the database URL is not of the form driver://user:password@host:port/database?name=value"
    )


def names_memory(url: URL) -> bool:
    """Return whether the URL is that of an in-memory SQLite database."""
    return url.get_backend_name() == "sqlite" and (
        not url.database or ":memory:" in url.database or url.query.get("mode") == "memory"
    )
