"""The app: its title, its lifespan, its routers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI

from entrypoints.container import Container, init_container
from entrypoints.http.kernel.lifespan import serving
from entrypoints.http.kernel.service import add_kernel, new_app
from entrypoints.http.routers import ROUTERS
from entrypoints.kernel.container_parts import assert_replaceable
from entrypoints.kernel.project import project
from entrypoints.settings import AppSettings


def create_app(settings: AppSettings, *, any_server: bool = True, **overrides: Any) -> FastAPI:
    """Return the app. An override replaces what the container would make under that name:
    `create_app(settings, clock=FixedClock(...))`.

    `any_server=False` is for the server of `python -m entrypoints`, which has limits of its own.
    Raises `InvalidSettings`, and `TypeError` for an override that the container does not have."""
    assert_replaceable(Container, overrides)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with serving(app, settings, init_container(settings, **overrides)):
            yield

    app = new_app(
        settings,
        title="Async database service",
        summary="Items, stored in SQLite or PostgreSQL.",
        version=project().version,
        lifespan=lifespan,
    )
    for router in ROUTERS:
        app.include_router(router)
    add_kernel(app, settings, any_server=any_server)
    return app
