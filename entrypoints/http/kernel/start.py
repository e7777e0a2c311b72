"""The start of the app: one line that says what it serves, or why it cannot."""

from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from entrypoints.kernel.failures import reason
from entrypoints.settings import AppSettings

_log = structlog.get_logger("entrypoints.http")


def log_start(app: FastAPI, settings: AppSettings) -> None:
    """Log what this process serves, without a secret."""
    _log.info(
        "service started",
        version=app.version,
        database=settings.database_label,
        host=settings.host,
        port=settings.port,
        workers=settings.workers,
    )


@contextmanager
def noting_failures(app: FastAPI, settings: AppSettings) -> Iterator[None]:
    """Keep the reason of a failure for `run_lifespan`."""
    try:
        yield
    except Exception as error:
        app.state.why_it_cannot_start = (
            f"the service cannot start: the database {settings.database_label} cannot be used: "
            f"{reason(error)}"
        )
        raise


async def run_lifespan(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Run the app's lifespan. The server logs what it is sent about a start that fails: the reason,
    in one line, and not the traceback that Starlette sends."""

    async def send_reason(message: Message) -> None:
        why_not = getattr(scope["app"].state, "why_it_cannot_start", None)
        if message["type"] == "lifespan.startup.failed" and why_not:
            message["message"] = why_not
        await send(message)

    await app(scope, receive, send_reason)
