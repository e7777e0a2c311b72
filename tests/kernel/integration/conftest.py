from collections.abc import AsyncIterator, Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

import entrypoints.kernel.command_line
from entrypoints.kernel.command_line import run_command
from entrypoints.kernel.service_settings import ServiceSettings
from tests.kernel.integration.service import client_of, settings_for
from tests.kernel.warehouse.app import create_app


@pytest.fixture(autouse=True)
def log_lines() -> Iterator[list[Any]]:
    """What the test has logged so far. To render it, tracebacks above all, would take long."""
    with capture_logs(processors=[merge_contextvars]) as lines:
        yield lines


@pytest.fixture
def app(storage_url: str, tmp_path: Path) -> FastAPI:
    """The app on an empty storage, of each kind in turn.

    Other tests have had it and others will: one that changes an app makes its own. To make it
    takes longer than most of what tests do with it.
    """
    # From the current directory, which is the test's own, a file has the same name for all.
    return _app_on(storage_url.replace(f"{tmp_path}/", ""))


@cache
def _app_on(url: str) -> FastAPI:
    return create_app(settings_for(url))


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the running app."""
    async with client_of(app) as client:
        yield client


@pytest.fixture
def command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """`command("db", "upgrade", APP_DATABASE_URL=...)` runs it within this process, and returns
    the exit status, the output and the errors."""
    monkeypatch.setattr(entrypoints.kernel.command_line, "configure_logging", lambda *_: None)

    def run(*arguments: str, **settings: str) -> tuple[int, str, str]:
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        try:
            status = run_command(
                ServiceSettings, "tests.kernel.warehouse.app:create_app", arguments
            )
        except SystemExit as end:
            status = int(end.code or 0)
        return status, *capsys.readouterr()

    return run
