"""Where a request leads to: the path that routes are compared with, and the one that the client
used. They differ where the app is served below a path prefix, the root path."""

from urllib.parse import quote

from starlette.types import Scope

from entrypoints.http.kernel.framework_internals import get_route_path

_HEALTH = frozenset(("/health/live", "/health/ready"))


def route_path(scope: Scope) -> str:
    """Return the path without the root path, as Starlette's own routing sees it. Whatever decides
    by path must see the same."""
    return get_route_path(scope)


def is_health_check(scope: Scope) -> bool:
    """Return whether this is a request for `/health/live` or `/health/ready`, which are open to
    everyone: an orchestrator has no key, and asks by address."""
    return scope["type"] == "http" and route_path(scope).rstrip("/") in _HEALTH


def client_path(scope: Scope) -> str:
    """Return the path of the request as the client wrote it, root path included."""
    raw_path: bytes | None = scope.get("raw_path")
    path = quote(scope["path"]) if raw_path is None else raw_path.decode("latin-1")
    root_path: str = scope.get("root_path", "").rstrip("/")
    # `FastAPI(root_path=...)` names it and leaves the path as it came.
    return path if is_below(scope["path"], root_path) else quote(root_path) + path


def is_below(path: str, prefix: str) -> bool:
    """Return whether the path is the prefix or below it."""
    return path == prefix or path.startswith(prefix + "/")
