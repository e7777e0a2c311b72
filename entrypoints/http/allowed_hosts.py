"""Which hosts the service answers for."""

from collections.abc import Sequence

from starlette.types import ASGIApp, Receive, Scope, Send

from entrypoints.http.problem import problem
from entrypoints.http.problem_types import UNKNOWN_HOST


class AllowedHosts:
    """Pure ASGI middleware that refuses requests for other hosts with a 421 (RFC 9110, section
    15.5.20), so that nobody's browser is made to reach the service by a name of their own.

    `*.example.org` stands for every name below example.org. The port does not matter. Health is
    told to everyone: an orchestrator asks by address.
    """

    def __init__(self, app: ASGIApp, hosts: Sequence[str]) -> None:
        self._app = app
        self._names = {host.lower() for host in hosts if not host.startswith("*.")}
        self._suffixes = tuple(host[1:].lower() for host in hosts if host.startswith("*."))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith("/health/"):
            await self._app(scope, receive, send)
            return
        name = _host_of(scope)
        if name in self._names or name.endswith(self._suffixes):
            await self._app(scope, receive, send)
        else:
            answer = problem(scope, UNKNOWN_HOST, "The service is not known by this host name.")
            await answer(scope, receive, send)


def _host_of(scope: Scope) -> str:
    """Return the host in lower case, without a port; an IPv6 address is in brackets."""
    value = next((value for name, value in scope["headers"] if name == b"host"), b"")
    host = value.decode("latin-1").lower()
    name, colon, port = host.rpartition(":")
    return name if colon and (not port or port.isdecimal()) else host
