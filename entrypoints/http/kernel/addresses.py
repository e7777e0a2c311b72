"""The path of a request as the routes see it, and as the client sent it. They differ if the app is
served below a path prefix (root path)."""

from urllib.parse import quote

from starlette.types import Scope

from entrypoints.http.kernel.framework_internals import get_route_path

_HEALTH = frozenset(("/health/live", "/health/ready"))


def route_path(scope: Scope) -> str:
    """Return the path without the root path, as Starlette's routing sees it. Everything that
    decides by path must use it."""
    return get_route_path(scope)


def is_health_check(scope: Scope) -> bool:
    """Return whether this is a request for `/health/live` or `/health/ready`. They need no key and
    no host name: an orchestrator has neither."""
    return scope["type"] == "http" and route_path(scope).rstrip("/") in _HEALTH


def client_path(scope: Scope) -> str:
    """Return the path of the request as the client sent it, with the root path."""
    raw_path: bytes | None = scope.get("raw_path")
    path = quote(scope["path"]) if raw_path is None else raw_path.decode("latin-1")
    root_path: str = scope.get("root_path", "").rstrip("/")
    # `FastAPI(root_path=...)` sets the root path but does not add it to the path.
    return path if is_below(scope["path"], root_path) else quote(root_path) + path


def is_below(path: str, prefix: str) -> bool:
    """Return whether the path is the prefix or below it."""
    return path == prefix or path.startswith(prefix + "/")
