"""Read a PostgreSQL URL with libpq's parameters (`sslmode` and others) for asyncpg.

https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS
"""

import getpass
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import unquote, urlencode

from sqlalchemy import URL

from adapters.sql.kernel.addresses.url_parameters import number, one_of, parameters_of

Host = tuple[str, int | None]
"""A host name, an IP address or the directory of a Unix socket; and a port."""

SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
SESSION_ATTRIBUTES = (
    "any",
    "read-write",
    "read-only",
    "primary",
    "standby",
    "prefer-standby",
)
LARGEST_PORT = 65_535
TLS_VERSIONS = ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")
FILES = ("sslrootcert", "sslcert", "sslkey", "sslcrl")
# asyncpg reads these from the DSN.
_FOR_ASYNCPG = (
    "sslmode",
    *FILES,
    "sslnegotiation",
    "ssl_min_protocol_version",
    "ssl_max_protocol_version",
    "passfile",
    "krbsrvname",
    "gsslib",
)
_SERVER_SETTINGS = ("application_name", "options")
_PLACE = ("host", "port", "user", "password", "dbname")
_HERE = (
    "ssl",
    "connect_timeout",
    "channel_binding",
    "gssencmode",
    "client_encoding",
    "target_session_attrs",
    "statement_cache_size",
    "prepared_statement_cache_size",
)
_KNOWN = (*_PLACE, *_SERVER_SETTINGS, *_FOR_ASYNCPG, *_HERE)
_NO_CACHE = "write statement_cache_size=0"
_INSTEAD = {
    "command_timeout": "set APP_REQUEST_DEADLINE_SECONDS",
    "connection_limit": "set APP_DATABASE_POOL_SIZE",
    "database": "write dbname, or the name behind the host",
    "fallback_application_name": "write application_name",
    "hostaddr": "write the address as host",
    "keepalives": "leave it out, connections are kept alive anyway",
    "keepalives_count": "leave it out, connections are kept alive anyway",
    "keepalives_idle": "leave it out, connections are kept alive anyway",
    "keepalives_interval": "leave it out, connections are kept alive anyway",
    "load_balance_hosts": "leave it out, hosts are tried in their order",
    "pgbouncer": _NO_CACHE,
    "pool_size": "set APP_DATABASE_POOL_SIZE",
    "pool_timeout": "set APP_REQUEST_DEADLINE_SECONDS",
    "prepareThreshold": _NO_CACHE,
    "prepare_threshold": _NO_CACHE,
    "schema": "write options=-csearch_path%3D and the schema's name",
    "service": "write what the service's section says into the address",
    "sslpassword": "give the key's file no password",
    "statement_timeout": "set APP_REQUEST_DEADLINE_SECONDS",
    "timeout": "write connect_timeout",
}


@dataclass(frozen=True)
class PostgresqlAddress:
    """Where a server is, and how to connect to it. Its representation holds no secret."""

    hosts: Sequence[Host]
    """In the order in which to try them; empty for the local server."""
    target_session_attrs: str | None
    connect_timeout: float | None
    """In seconds; 0 means no limit but the request deadline."""
    statement_cache_size: int | None
    """The size of asyncpg's prepared statement cache; None to detect whether there is a pooler."""
    prepared_statement_cache_size: int | None
    """The size of the prepared statement cache of SQLAlchemy's sessions."""
    server_settings: Mapping[str, str]
    files: Mapping[str, str]
    """The files of keys and certificates that the URL names, by parameter."""
    arguments: Mapping[str, Any] = field(repr=False)
    """Further arguments of `asyncpg.connect`."""
    url: URL
    """The first host, in SQLAlchemy's form."""

    @classmethod
    def of(cls, url: URL) -> Self:
        """Return the address that the URL describes.

        Raises `ValueError` if a part of the URL would have no effect.
        """
        hosts = url.query.get("host", ())
        single = url.set(query={k: v for k, v in url.query.items() if k != "host"})
        parameters = parameters_of(single, _KNOWN, _INSTEAD)
        user = url.username or parameters.get("user")
        places = _hosts(url, (hosts,) if isinstance(hosts, str) else hosts, parameters.get("port"))
        _check(parameters, user)
        cache_size = number(parameters, "statement_cache_size")
        return cls(
            hosts=places,
            target_session_attrs=one_of(parameters, "target_session_attrs", SESSION_ATTRIBUTES),
            connect_timeout=number(parameters, "connect_timeout"),
            statement_cache_size=cache_size,
            prepared_statement_cache_size=(
                0 if cache_size == 0 else number(parameters, "prepared_statement_cache_size")
            ),
            server_settings={k: parameters[k] for k in _SERVER_SETTINGS if parameters.get(k)},
            files={
                k: parameters[k]
                for k in FILES
                if parameters.get(k) and not _is_system(k, parameters)
            },
            arguments=_arguments(url, parameters, user),
            url=_url_of_first(url, places),
        )


def _url_of_first(url: URL, hosts: Sequence[Host]) -> URL:
    host, port = hosts[0] if hosts else (None, None)
    return url.set(host=None if host and host.startswith("/") else host, port=port, query={})


def _check(parameters: Mapping[str, str], user: str | None) -> None:
    one_of(parameters, "sslmode", SSL_MODES)
    one_of(parameters, "ssl", (*SSL_MODES, "true"))
    one_of(parameters, "sslnegotiation", ("postgres", "direct"))
    one_of(parameters, "gsslib", ("gssapi", "sspi"))
    for name in ("ssl_min_protocol_version", "ssl_max_protocol_version"):
        one_of(parameters, name, TLS_VERSIONS)
    if parameters.get("channel_binding") == "require":
        raise ValueError(
            "the database URL's parameter channel_binding=require cannot be met, asyncpg has no "
            "channel binding: write channel_binding=prefer, and sslmode=verify-full for a server "
            "that proves who it is"
        )
    one_of(parameters, "channel_binding", ("disable", "prefer"))
    if parameters.get("gssencmode") == "require":
        raise ValueError(
            "the database URL's parameter gssencmode=require cannot be met: "
            "write gssencmode=prefer, and sslmode=require for encryption"
        )
    one_of(parameters, "gssencmode", ("disable", "prefer"))
    one_of(parameters, "client_encoding", ("utf8", "UTF8", "utf-8", "UTF-8", "auto"))
    mode = parameters.get("sslmode") or parameters.get("ssl")
    if _is_system("sslrootcert", parameters) and mode not in (None, "verify-full"):
        raise ValueError(
            "the database URL's parameter sslrootcert=system needs sslmode=verify-full"
        )
    if parameters.get("sslnegotiation") == "direct" and (
        mode not in ("require", "verify-ca", "verify-full", "true")
    ):
        raise ValueError("the database URL's parameter sslnegotiation=direct needs sslmode=require")
    if not user and not os.environ.get("PGUSER"):
        try:
            getpass.getuser()
        except (ImportError, KeyError, OSError):
            raise ValueError(
                "the database URL names no user, and this process's user has no name: "
                "write user@ before the host"
            ) from None


def _arguments(url: URL, parameters: Mapping[str, str], user: str | None) -> dict[str, Any]:
    for_asyncpg = {name: parameters[name] for name in _FOR_ASYNCPG if parameters.get(name)}
    if "ssl" in parameters:
        for_asyncpg.setdefault(
            "sslmode", "require" if parameters["ssl"] == "true" else parameters["ssl"]
        )
    arguments: dict[str, Any] = {
        "user": user,
        "password": url.password or parameters.get("password"),
        "database": url.database or parameters.get("dbname"),
    }
    if _is_system("sslrootcert", parameters):
        # The certificate authorities that the operating system trusts, as in libpq 16.
        del for_asyncpg["sslrootcert"]
        for_asyncpg.pop("sslmode", None)
        arguments["ssl"] = True
    if for_asyncpg:
        arguments["dsn"] = f"postgresql://?{urlencode(for_asyncpg)}"
    return {name: value for name, value in arguments.items() if value}


def _is_system(name: str, parameters: Mapping[str, str]) -> bool:
    return name == "sslrootcert" and parameters.get(name) == "system"


def _hosts(url: URL, of_query: Sequence[str], ports: str | None) -> tuple[Host, ...]:
    """Return the hosts, each with its port or None."""
    if of_query:
        if url.host:
            raise ValueError("the database URL names hosts in two places: leave one of them out")
        hosts = [_host(each) for part in of_query for each in part.split(",")]
    elif url.host:
        hosts = [(unquote(url.host), _port(str(url.port)) if url.port is not None else None)]
    else:
        hosts = []
    if not ports:
        return tuple(hosts)
    numbers = [_port(each) for each in ports.split(",")]
    if len(numbers) == 1:
        numbers *= len(hosts)
    if len(numbers) != len(hosts):
        raise ValueError("the database URL names more ports than hosts, or fewer")
    return tuple((host, own or given) for (host, own), given in zip(hosts, numbers, strict=True))


def _host(text: str) -> Host:
    if text.startswith("/") or (text.count(":") > 1 and not text.startswith("[")):
        return text, None
    match = re.fullmatch(r"(?:\[(?P<ip>[^\]]+)\]|(?P<name>[^:\[\]]+))(?::(?P<port>[^:]+))?", text)
    if match is None:
        raise ValueError("the database URL has a host that is not of the form name:port")
    port = match["port"]
    return unquote(match["ip"] or match["name"]), _port(port) if port else None


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) <= LARGEST_PORT):
        raise ValueError("the database URL has a port that is not a number from 1 to 65535")
    return int(text)
