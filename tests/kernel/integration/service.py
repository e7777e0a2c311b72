"""The app as tests use it: with its real lifespan, and without a network."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from entrypoints.settings import AppSettings

PRODUCTS = "/api/v1/products"
UNKNOWN_ID = "01890a5d-ac96-774b-bcce-b302099a8057"
JSON = {"Content-Type": "application/json"}

# For tests with many cases that are decided before any storage is asked.
in_memory_only = pytest.mark.parametrize("storage_url", ["memory://"], ids=["memory"])

PROJECT = Path(__file__).resolve().parents[3]


def settings_for(url: str, **others: Any) -> AppSettings:
    """Return the settings for a database, whatever a developer's own `.env` says.

    Requests have time enough on a busy machine, unless the test says how much.
    """
    own = {"database_url": url, "request_deadline_seconds": 60}
    return AppSettings(_env_file=None, **{**own, **others})


@asynccontextmanager
async def client_of(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """Start the app, yield a client of it, and shut it down."""
    async with app.router.lifespan_context(app), bare_client_of(app) as client:
        yield client


def bare_client_of(app: FastAPI) -> httpx.AsyncClient:
    """Return a client of an app that runs already."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")


async def create(
    client: httpx.AsyncClient, name: str = "lamp", description: str | None = "It shines."
) -> dict[str, Any]:
    """Create an item and return it as it is in the response."""
    response = await client.post(PRODUCTS, json={"name": name, "description": description})
    assert response.status_code == 201, response.text
    item: dict[str, Any] = response.json()
    return item


async def stored(client: httpx.AsyncClient, item_id: str) -> dict[str, Any]:
    """Return the item as it is read back."""
    response = await client.get(f"{PRODUCTS}/{item_id}")
    assert response.status_code == 200, response.text
    item: dict[str, Any] = response.json()
    return item
