"""Create a container with the parts that every app has."""

from collections.abc import Iterable
from typing import Any, TypeVar

from dependency_injector.containers import DeclarativeContainer

from adapters.sql.kernel.engine import init_database
from entrypoints.kernel.service_settings import ServiceSettings

_C = TypeVar("_C", bound=DeclarativeContainer)


async def new_container(kind: type[_C], settings: ServiceSettings, **overrides: Any) -> _C:
    """Return a container with the settings and the engine. An override replaces the part with its
    name."""
    parts: dict[str, Any] = {"settings": settings, **overrides}
    if not settings.uses_memory:
        parts.setdefault("engine", await init_database(settings))
    return kind(**parts)


def assert_replaceable(kind: type[DeclarativeContainer], names: Iterable[str]) -> None:
    """Raise `TypeError` if the container has no part with one of the names."""
    if unknown := set(names) - kind.providers.keys():
        raise TypeError(
            f"create_app() cannot override {', '.join(sorted(unknown))}: the container has "
            f"{', '.join(sorted(kind.providers))}"
        )
