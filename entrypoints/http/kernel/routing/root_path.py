"""The root path: the app is served below a path prefix, behind a proxy."""

from starlette.types import ASGIApp, Receive, Scope, Send

from entrypoints.http.kernel.addresses import is_below


class RootPath:
    """Pure ASGI middleware that sets the prefix of the client's paths in the scope.

    It works for proxies that pass the prefix on, for proxies that strip it, and for direct requests
    such as health checks: a path without the prefix gets it, as ASGI requires ("root_path"). A root
    path that the server or an outer app has set is not changed.
    """

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        self._app = app
        self._prefix = prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan" and not scope.get("root_path"):
            scope["root_path"] = self._prefix
            if not is_below(scope["path"], self._prefix):
                scope["path"] = self._prefix + scope["path"]
                if scope.get("raw_path") is not None:
                    scope["raw_path"] = self._prefix.encode() + scope["raw_path"]
        await self._app(scope, receive, send)
