"""What an address of PostgreSQL says reaches asyncpg, or is rejected by name."""

import itertools
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.sql.kernel.addresses.database_url import parse_database_url
from adapters.sql.kernel.addresses.postgresql_address import (
    SESSION_ATTRIBUTES,
    SSL_MODES,
    PostgresqlAddress,
)

SECRET = "correct-horse"


def address(text: str) -> PostgresqlAddress:
    return PostgresqlAddress.of(parse_database_url(text))


def with_parameters(parameters: str) -> PostgresqlAddress:
    return address(f"postgres://user:word@db.shop.test/shop?{parameters}")


def for_asyncpg(of: PostgresqlAddress) -> dict[str, str]:
    """Return the parameters that asyncpg reads from the address that it gets."""
    return {k: v[0] for k, v in parse_qs(urlsplit(of.arguments.get("dsn", "")).query).items()}


# Every parameter that is taken, with values, and one that it may not have.
VALUES: dict[str, tuple[tuple[str, ...], str | None]] = {
    "sslmode": (SSL_MODES, "yes"),
    "ssl": ((*SSL_MODES, "true"), "yes"),
    "sslrootcert": (("/etc/ca.crt", "system"), None),
    "sslcert": (("client.crt",), None),
    "sslkey": (("client.key",), None),
    "sslcrl": (("ca.crl",), None),
    "ssl_min_protocol_version": (("TLSv1.2", "TLSv1.3"), "SSLv3"),
    "ssl_max_protocol_version": (("TLSv1.3",), "1.3"),
    "sslnegotiation": (("postgres",), "none"),
    "application_name": (("shop", "a b", "a@b"), None),
    "options": (("-c statement_timeout=5s", "-csearch_path=shop", "project=ep-1"), None),
    "connect_timeout": (("0", "10"), "soon"),
    "channel_binding": (("disable", "prefer"), "require"),
    "gssencmode": (("disable", "prefer"), "require"),
    "client_encoding": (("utf8", "UTF8"), "latin1"),
    "target_session_attrs": (SESSION_ATTRIBUTES, "master"),
    "statement_cache_size": (("0", "100"), "-1"),
    "prepared_statement_cache_size": (("0", "500"), "many"),
    "passfile": (("/etc/pgpass",), None),
    "krbsrvname": (("postgres",), None),
    "gsslib": (("gssapi",), "kerberos"),
    "port": (("6432",), "http"),
}
ALL = [(name, value) for name, (values, _) in VALUES.items() for value in values]


@pytest.mark.parametrize(("name", "value"), ALL)
def test_each_parameter_is_taken(name: str, value: str) -> None:
    taken = with_parameters(f"{name}={quote(value, safe='')}")

    as_is = for_asyncpg(taken).get(name) or taken.server_settings.get(name)
    if name in {"application_name", "options"} or name in for_asyncpg(taken):
        assert as_is == value
    elif name == "port":
        assert taken.hosts == (("db.shop.test", 6432),)
    elif hasattr(taken, name):
        assert str(getattr(taken, name)) == value
    elif value == "system":
        assert taken.arguments["ssl"] is True
    elif name == "ssl":
        assert for_asyncpg(taken)["sslmode"] == ("require" if value == "true" else value)
    else:  # asyncpg does it anyway
        assert name in {"channel_binding", "gssencmode", "client_encoding"}


def test_parameters_do_not_get_in_each_others_way() -> None:
    for one, other in itertools.combinations(ALL, 2):
        names = {one[0], other[0]}
        if len(names) == 1 or names == {"ssl", "sslmode"} or "system" in one + other:
            continue
        texts = [f"{name}={quote(value, safe='')}" for name, value in (one, other)]
        alone = [with_parameters(text) for text in texts]
        both = with_parameters("&".join(texts))
        assert for_asyncpg(both) == for_asyncpg(alone[0]) | for_asyncpg(alone[1])
        assert both.server_settings == {**alone[0].server_settings, **alone[1].server_settings}


@pytest.mark.parametrize(
    ("name", "value"), [(name, wrong) for name, (_, wrong) in VALUES.items() if wrong]
)
def test_a_value_that_is_none_is_rejected_by_the_parameters_name(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=r"port that is not" if name == "port" else name) as raised:
        with_parameters(f"{name}={value}")

    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("name", VALUES)
def test_a_misspelt_parameter_is_rejected_with_the_right_one(name: str) -> None:
    for place in range(1, len(name)):
        misspelt = name[:place] + name[place + 1 :]
        if misspelt in VALUES or len(misspelt) < 3:
            continue
        with pytest.raises(ValueError, match=f"'{misspelt}' is not known: write ") as raised:
            with_parameters(f"{misspelt}={SECRET}")
        assert SECRET not in str(raised.value)


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ("pgbouncer=true", "write statement_cache_size=0"),
        ("connection_limit=5", "set APP_DATABASE_POOL_SIZE"),
        ("hostaddr=10.0.0.1", "write the address as host"),
        ("schema=shop", "write options="),
        ("nothing=like&it=1", "'nothing' is not known: leave it out"),
        ("sslmode=require&sslmode=disable", "sslmode is given twice"),
        ("sslmode", "not of the form"),
        ("channel_binding=require", "write channel_binding=prefer, and sslmode=verify-full"),
        ("sslrootcert=system&sslmode=require", "needs sslmode=verify-full"),
        ("sslnegotiation=direct", "needs sslmode=require"),
        ("host=other", "names hosts in two places"),
        ("port=1,2", "more ports than hosts"),
    ],
)
def test_a_parameter_without_effect_is_rejected_with_what_to_write(
    parameters: str, words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        with_parameters(parameters)


@pytest.mark.parametrize(
    ("text", "hosts"),
    [
        ("postgres://u:w@db/shop", [("db", None)]),
        ("postgres://u:w@db:5433/shop", [("db", 5433)]),
        ("postgres://u:w@10.0.0.1:5433/shop", [("10.0.0.1", 5433)]),
        ("postgres://u:w@[::1]:5433/shop", [("::1", 5433)]),
        ("postgres://u:w@[fe80::1]/shop", [("fe80::1", None)]),
        ("postgres://u:w@a,b/shop", [("a", None), ("b", None)]),
        ("postgres://u:w@a:1,b:2,c/shop", [("a", 1), ("b", 2), ("c", None)]),
        ("postgres://u:w@[::1]:1,[::2]:2/shop", [("::1", 1), ("::2", 2)]),
        ("postgres://a:1,b:2/shop?user=u@x", [("a", 1), ("b", 2)]),
        ("postgres://a:1/shop?user=u@x", [("a", 1)]),
        ("postgres://u:w@/shop?host=a,b&port=1,2", [("a", 1), ("b", 2)]),
        ("postgres://u:w@/shop?host=a:1&host=b:2", [("a", 1), ("b", 2)]),
        ("postgres://u:w@a,b/shop?port=6432", [("a", 6432), ("b", 6432)]),
        ("postgres://u:w@/shop?host=::1", [("::1", None)]),
        ("postgres://u:w@/shop?host=/var/run/postgresql", [("/var/run/postgresql", None)]),
        ("postgres:///shop?host=/cloudsql/p:r:i&port=5433", [("/cloudsql/p:r:i", 5433)]),
        ("postgres://u:w@%2Fvar%2Frun%2Fpostgresql/shop", [("/var/run/postgresql", None)]),
        ("postgres://u:w@%2Fvar%2Frun%2Fpostgresql:5433/shop", [("/var/run/postgresql", 5433)]),
        ("postgres:///shop", []),
        ("postgres://", []),
    ],
)
def test_hosts(text: str, hosts: list[tuple[str, int | None]]) -> None:
    assert list(address(text).hosts) == hosts


@pytest.mark.parametrize(
    "hosts", ["a,", ",a", "a,,b", "a:x,b:1", "a:1,b:0", "a:1,b:70000", "[::1", "a:70000", "[x,b"]
)
def test_hosts_that_are_none_are_rejected(hosts: str) -> None:
    with pytest.raises(ValueError, match="database URL"):
        address(f"postgres://u:w@{hosts}/shop")


credentials = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1)


@given(user=credentials, password=credentials, database=credentials)
def test_encoded_names_and_passwords_arrive_as_they_are(
    user: str, password: str, database: str
) -> None:
    expected: dict[str, Any] = {"user": user, "password": password, "database": database}
    user, password, database = (quote(each, safe="") for each in (user, password, database))
    for text in (
        f"postgresql://{user}:{password}@db/{database}",
        f"postgresql://{user}:{password}@a:1,b:2/{database}",
        f"postgresql://db/?user={user}&password={password}&dbname={database}",
    ):
        assert address(text).arguments == expected


@given(st.text(st.sampled_from("ab:/?@,[]%=&#. +"), max_size=30))
def test_any_text_is_taken_or_rejected_in_one_line(text: str) -> None:
    try:
        parse_database_url(f"postgresql://{text}")
    except ValueError as error:
        rejected = error
    else:
        return
    assert "\n" not in str(rejected)
    assert rejected.__suppress_context__ or rejected.__context__ is None
