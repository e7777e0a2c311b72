"""TCP keepalive: a firewall or NAT drops idle connections after minutes, without telling either
end."""

import socket
from typing import Any

import asyncpg

IDLE_SECONDS = 10
"""Often enough that no network drops a connection: the strictest do after a minute."""
INTERVAL_SECONDS = 5
PROBES = 3
# The same for the server's side, so that no session stays behind there; that is less urgent.
# https://www.postgresql.org/docs/current/runtime-config-connection.html
SERVER_SETTINGS = {
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
}


def keep_alive(connection: "asyncpg.Connection[asyncpg.Record]", seconds: float) -> None:
    """Let the system probe an idle connection, and close one on which sent data was not
    acknowledged for so many seconds (tcp(7): TCP_KEEPIDLE, TCP_USER_TIMEOUT)."""
    transport: Any = connection._transport  # type: ignore[attr-defined]
    its_socket: socket.socket | None = transport.get_extra_info("socket")
    if its_socket is None or its_socket.family not in {socket.AF_INET, socket.AF_INET6}:
        return
    its_socket.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (
        ("TCP_KEEPIDLE", IDLE_SECONDS),
        ("TCP_KEEPINTVL", INTERVAL_SECONDS),
        ("TCP_KEEPCNT", PROBES),
        ("TCP_USER_TIMEOUT", max(1, round(seconds * 1000))),
    ):
        if option := getattr(socket, name, None):  # not on every system
            its_socket.setsockopt(socket.IPPROTO_TCP, option, value)
