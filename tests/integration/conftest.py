from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from entrypoints.http.app import create_app
from entrypoints.settings import AppSettings
from tests.integration.service import client_of, settings_for


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for field in AppSettings.model_fields:
        monkeypatch.delenv(f"APP_{field.upper()}", raising=False)


@pytest.fixture(autouse=True)
def log_lines() -> Iterator[list[Any]]:
    """What the test has logged so far. To render it, tracebacks above all, would take long."""
    with capture_logs(processors=[merge_contextvars]) as lines:
        yield lines


@pytest.fixture
def app(storage_url: str) -> FastAPI:
    """The app on an empty storage, of each kind in turn."""
    return create_app(settings_for(storage_url))


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the running app."""
    async with client_of(app) as client:
        yield client
