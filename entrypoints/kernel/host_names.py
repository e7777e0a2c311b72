"""Host names: parse those of the setting `APP_ALLOWED_HOSTS`, and of a request's `Host` field."""

import re
from ipaddress import AddressValueError, IPv6Address

ANY = "*"
_LABEL = "[a-z0-9_-]+"
_NAME = rf"{_LABEL}(?:\.{_LABEL})*"
_PATTERN = re.compile(rf"(?:\*\.)?{_NAME}")
# RFC 9110, section 7.2: the host, in brackets if it is an IPv6 address, and perhaps a port.
_HOST_FIELD = re.compile(rf"({_NAME}\.?|\[[0-9a-f:.]+\])(?::[0-9]*)?")


def parse_host_names(text: str) -> list[str]:
    """Return the names in a comma-separated list: `api.shop.test`, `*.shop.test` for every name
    below, `192.0.2.7`, `[::1]`, or `*` for any.

    Raises `ValueError`, which says what to write, for an empty list and for an entry that no
    request's host can be equal to.
    """
    entries = [entry.strip() for entry in text.split(",")]
    names = [_parsed(entry) for entry in entries if entry]
    if not names:
        raise ValueError("it has no host name: list the names of the service, or write * for any")
    return names


def host_of(field: bytes) -> str:
    """Return the host of a `Host` field: in lower case, without port and trailing dot, an IPv6
    address in its shortest form. Return an empty string if the field is malformed."""
    found = _HOST_FIELD.fullmatch(field.decode("latin-1").lower())
    if not found:
        return ""
    host = found[1]
    return (_shortest(host[1:-1]) or "") if host.startswith("[") else host.removesuffix(".")


def _parsed(entry: str) -> str:
    name = entry.lower().removesuffix(".")
    if name == ANY:
        return name
    if address := _shortest(name.removeprefix("[").removesuffix("]")):
        return address
    if _PATTERN.fullmatch(name):
        return name
    raise ValueError(f"{entry!r} is not a host name{_what_to_write(name)}")


def _what_to_write(name: str) -> str:
    """Return a hint on how to correct the entry."""
    host = re.sub("^[a-z][a-z0-9+.-]*://", "", name).partition("/")[0]
    host = re.sub(r":\d*$", "", host)
    if host != name and (_PATTERN.fullmatch(host) or host.startswith("[")):
        return f": write {host}, without scheme, port or path"
    if not name.isascii():
        return ": write its xn-- form (IDNA), as clients send it"
    if "*" in name:
        return ": a * stands alone, or for all names below another, as in *.shop.test"
    return ": separate names by commas" if " " in name else ""


def _shortest(address: str) -> str | None:
    """Return an IPv6 address in brackets, as RFC 5952 writes it; None for anything else."""
    try:
        return f"[{IPv6Address(address).compressed}]"
    except AddressValueError:
        return None
