"""Protection of a service without API keys: it serves loopback addresses only."""

import structlog
from starlette.types import ASGIApp, Receive, Scope, Send

from entrypoints.http.kernel.addresses import is_health_check
from entrypoints.http.kernel.problems.problem import problem, reject
from entrypoints.http.kernel.problems.problem_types import KEYS_NOT_CONFIGURED
from entrypoints.kernel.loopback import KEYS_NEEDED, is_open

_log = structlog.get_logger("entrypoints.http")


class LoopbackOnly:
    """Pure ASGI middleware, for a service without API keys, that rejects requests to an address
    that other machines can reach.

    `python -m entrypoints` does not listen on such an address. Another server passes the app its
    address only with each request (`scope["server"]`). A proxy on the same machine cannot be
    detected: it has to authenticate clients itself.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        # Its size is limited by the number of addresses of this machine.
        self._found: dict[str, bool] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        server = scope.get("server")
        if server and self._is_open(server[0]) and not is_health_check(scope):
            response = problem(
                scope,
                KEYS_NOT_CONFIGURED,
                "The service has no API keys, so it can only be used on its own machine.",
            )
            await reject(response, scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _is_open(self, host: str) -> bool:
        found = self._found.get(host)
        if found is None:
            found = self._found[host] = is_open(host)
            if found:
                _log.error("requests are rejected", reason=f"they came by {host}, {KEYS_NEEDED}")
        return found
