"""Check the URL of a SQLite database."""

from sqlalchemy import URL

from adapters.sql.kernel.addresses.url_parameters import one_of, parameters_of

_INSTEAD = {
    "timeout": "set APP_REQUEST_DEADLINE_SECONDS",
    "check_same_thread": "leave it out",
    "isolation_level": "leave it out",
}
# https://www.sqlite.org/uri.html
_OF_A_URI = ("mode", "cache")


def check_sqlite_address(url: URL) -> None:
    """Raise `ValueError` if a part of the URL would have no effect."""
    if url.host or url.username or url.password or url.port:
        raise ValueError(
            "the database URL of SQLite names a host: write three slashes before a relative path, "
            "sqlite+aiosqlite:///data/service.db, and four before an absolute one"
        )
    parameters = parameters_of(url, ("uri", *_OF_A_URI), _INSTEAD)
    one_of(parameters, "mode", ("rwc", "rw", "ro", "memory"))
    one_of(parameters, "cache", ("private", "shared"))
    is_uri = one_of(parameters, "uri", ("true", "false")) == "true"
    for name in _OF_A_URI:
        if name in parameters and not is_uri:
            raise ValueError(
                f"the database URL's parameter {name} has no effect: "
                f"write file: before the path, and uri=true beside {name}"
            )
