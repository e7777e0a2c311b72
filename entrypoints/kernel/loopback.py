"""Loopback addresses, which only this machine can reach."""

import ipaddress

KEYS_NEEDED = (
    "which other machines can reach, and any of them could change everything. Name a file of keys "
    "in APP_API_KEYS, or set APP_ALLOW_ANONYMOUS=true."
)


def is_loopback(host: str) -> bool:
    """Return whether the host is a loopback address or `localhost`."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost"
    # On a socket for both families, an IPv4 address is mapped into IPv6.
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def is_open(host: str) -> bool:
    """Return whether the host is an IP address that other machines can reach. The path of a Unix
    socket and the made-up host name of a test client are not IP addresses."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return not is_loopback(host)
