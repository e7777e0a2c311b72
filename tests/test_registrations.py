"""Each folder of `application` with a `repository.py` is an aggregate, registered in five files."""

from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import iter_route_contexts

from application.unit_of_work import ReadingUnitOfWork, UnitOfWork
from entrypoints.container import Container, init_container
from entrypoints.http.app import create_app
from tests.conftest import settings_for

APPLICATION = Path(__file__).parents[1] / "application"
AGGREGATES = sorted(
    each.parent.name for each in APPLICATION.glob("*/repository.py") if each.parent.name != "kernel"
)


async def units_of(url: str) -> list[Any]:
    container = await init_container(settings_for(url))
    units_of_work = container.storage().units_of_work
    units = [units_of_work.for_reading(), units_of_work.for_writing()]
    await container.storage().close()
    return units


@pytest.mark.parametrize("name", AGGREGATES)
def test_the_port_has_its_repository(name: str) -> None:
    for port in (ReadingUnitOfWork, UnitOfWork):
        assert hasattr(port, name), (
            f"application/unit_of_work.py: {port.__name__} has no `{name}`, the repository of "
            f"application/{name}"
        )


@pytest.mark.parametrize("name", AGGREGATES)
@pytest.mark.parametrize(
    ("adapter", "url"), [("memory", "memory://"), ("sql", "sqlite+aiosqlite://")]
)
async def test_the_adapter_has_its_repository(adapter: str, url: str, name: str) -> None:
    for unit in await units_of(url):
        assert hasattr(unit, name), (
            f"adapters/{adapter}/unit_of_work.py: {type(unit).__name__} has no `{name}`, the "
            f"repository of application/{name}"
        )


@pytest.mark.parametrize("name", AGGREGATES)
def test_the_container_has_its_service(name: str) -> None:
    services = [
        key
        for key, provider in Container.providers.items()
        if key.endswith("_service") and _module(provider).startswith(f"application.{name}.")
    ]

    assert services, f"entrypoints/container.py has no service of application/{name}"


@pytest.mark.parametrize("name", AGGREGATES)
def test_the_app_has_its_routes(name: str) -> None:
    app = create_app(settings_for("memory://"))

    assert [
        route
        for route in iter_route_contexts(app.routes)
        if getattr(route.endpoint, "__module__", "").startswith(f"entrypoints.http.{name}.")
    ], f"entrypoints/http/routers.py has no router of entrypoints/http/{name}"


def _module(provider: Any) -> str:
    """Return where the class is that a provider makes an instance of."""
    return str(getattr(getattr(provider, "cls", None), "__module__", ""))
