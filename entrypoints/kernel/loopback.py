"""Which addresses only this machine can reach."""

import ipaddress

REFUSAL = (
    "which other machines can reach, and any of them could change everything. Name a file of keys "
    "in APP_API_KEYS, or set APP_ALLOW_ANONYMOUS=true."
)


def is_loopback(host: str) -> bool:
    """Return whether an IP address, or the name `localhost`, is of this machine alone."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost"
    # On a socket for both families, an IPv4 address is mapped into IPv6.
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def is_open(host: str) -> bool:
    """Return whether this is an IP address that other machines can reach. The path of a Unix socket
    is none, and neither is the name that a test client makes up."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return not is_loopback(host)
