"""The allowed hosts of the service (`APP_ALLOWED_HOSTS`)."""

from collections.abc import Iterable

from starlette.types import ASGIApp, Receive, Scope, Send

from entrypoints.http.kernel.addresses import is_health_check
from entrypoints.http.kernel.problems.problem import problem, reject
from entrypoints.http.kernel.problems.problem_types import UNKNOWN_HOST
from entrypoints.kernel.host_names import host_of


class AllowedHosts:
    """Pure ASGI middleware that rejects requests and websockets for other hosts with a 421 (RFC
    9110, section 15.5.20). It prevents DNS rebinding: a web page cannot make a browser access the
    service by the page's own host name. Ports are ignored. Health checks are served for every host.

    Starlette's `TrustedHostMiddleware` rejects health checks too, and responds with plain text.
    """

    def __init__(self, app: ASGIApp, hosts: Iterable[str]) -> None:
        """`hosts` are as `parse_host_names` returns them."""
        hosts = list(hosts)
        self._app = app
        self._names = {host for host in hosts if not host.startswith("*.")}
        self._suffixes = tuple(host[1:] for host in hosts if host.startswith("*."))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or is_health_check(scope):
            await self._app(scope, receive, send)
            return
        name = host_of(next((value for key, value in scope["headers"] if key == b"host"), b""))
        if name in self._names or name.endswith(self._suffixes):
            await self._app(scope, receive, send)
        else:
            response = problem(
                scope,
                UNKNOWN_HOST,
                "The Host of the request is not one of the service's host names.",
            )
            await reject(response, scope, receive, send)
