"""Create the app for a server, or log in one line why that is not possible."""

import gc
import sys
from collections.abc import Callable

import structlog
from fastapi import FastAPI

from entrypoints.kernel.logging import configure_logging
from entrypoints.kernel.service_settings import (
    InvalidSettings,
    ServiceSettings,
    settings_from_environment,
    unknown_settings,
)

CANNOT_START = 3
"""The exit code by which uvicorn and gunicorn do not restart a worker."""
WITHOUT = (
    "limits to the size of URLs and header fields, limits to the time that a request takes to "
    "arrive and a response to be read, the cancellation of work for clients that disconnect, and "
    "the draining of connections at shutdown"
)
_log = structlog.get_logger("entrypoints.http")


def app_for_any_server(kind: type[ServiceSettings], create_app: Callable[..., FastAPI]) -> FastAPI:
    """Return `create_app(settings)`, with the settings of this class from the environment.

    Logs one line and ends the process if a setting is invalid."""
    configure_logging()
    app = _settled(lambda: create_app(settings_from_environment(kind)))
    log_unknown_settings(kind)
    _log.warning("served by another server than python -m entrypoints", without=WITHOUT)
    return app


def app_for_own_server(settings: ServiceSettings, create_app: Callable[..., FastAPI]) -> FastAPI:
    """Return the app for `entrypoints.kernel.server`, which enforces the limits itself. Ends the
    process as `app_for_any_server` does."""
    return _settled(lambda: create_app(settings, any_server=False))


def log_unknown_settings(kind: type[ServiceSettings]) -> None:
    """Log a warning for each `APP_...` that is no setting of this class."""
    for sentence in unknown_settings(kind):
        _log.warning("unknown setting", reason=sentence)


def _settled(create: Callable[[], FastAPI]) -> FastAPI:
    try:
        app = create()
    except InvalidSettings as error:
        _log.critical("the service cannot start", reason=str(error))
        sys.exit(CANNOT_START)
    # Exclude the objects of the start from garbage collection: they live as long as the process,
    # and scanning them would stop all requests for that time.
    gc.collect()
    gc.freeze()
    # Collect the youngest generation at 10,000 objects, not at 700: concurrent requests hold more
    # than 700, which would be scanned again and again.
    gc.set_threshold(10_000)
    return app
