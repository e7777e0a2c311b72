"""Check the query parameters of a database URL."""

from collections.abc import Collection, Mapping
from difflib import get_close_matches

from sqlalchemy import URL


def parameters_of(url: URL, known: Collection[str], instead: Mapping[str, str]) -> dict[str, str]:
    """Return the query parameters of the URL.

    Raises `ValueError` for a parameter that is not known, with what to write `instead` if there is
    something, and for a parameter that is given twice.
    """
    for name, value in url.query.items():
        if name in instead:
            raise ValueError(f"the database URL's parameter {name} has no effect: {instead[name]}")
        if name not in known:
            similar = get_close_matches(name, known, n=1)
            advice = f"write {similar[0]}" if similar else "leave it out"
            raise ValueError(f"the database URL's parameter {name!r} is not known: {advice}")
        if not isinstance(value, str):
            raise ValueError(f"the database URL's parameter {name} is given twice")
    return {name: str(value) for name, value in url.query.items()}


def one_of(parameters: Mapping[str, str], name: str, values: Collection[str]) -> str | None:
    """Return the parameter's value; raise `ValueError` if it is none of the values."""
    value = parameters.get(name)
    if value is not None and value not in values:
        raise ValueError(f"the database URL's parameter {name} is not one of: {', '.join(values)}")
    return value


def number(parameters: Mapping[str, str], name: str) -> int | None:
    """Return the parameter's value; raise `ValueError` if it is not a number from 0 on."""
    value = parameters.get(name)
    if value is None:
        return None
    if not (value.isascii() and value.isdigit()):
        raise ValueError(f"the database URL's parameter {name} is not a number from 0 on")
    return int(value)
