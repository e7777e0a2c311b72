"""Once a response has begun there is no second one, whatever happens."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from entrypoints.http.kernel.middleware.request_context import RequestContext
from entrypoints.http.kernel.middleware.request_deadline import RequestDeadline
from entrypoints.http.kernel.problems.outage_log import OutageLog

SCOPE: Scope = {"type": "http", "method": "GET", "path": "/", "raw_path": b"/", "headers": []}


async def receive() -> Message:
    raise AssertionError("the body must not be read")


def failing(error: BaseException, *, begin: bool) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if begin:
            await send({"type": "http.response.start", "status": 200, "headers": []})
        raise error

    return app


def bare(app: ASGIApp) -> ASGIApp:
    return app


def below_a_deadline(app: ASGIApp) -> ASGIApp:
    return RequestDeadline(app, 60, OutageLog())


@pytest.mark.parametrize("wrapped", [bare, below_a_deadline])
@pytest.mark.parametrize("error", [RuntimeError("broken"), asyncio.CancelledError()], ids=repr)
@pytest.mark.parametrize("begin", [True, False])
async def test_only_one_response_is_begun(
    wrapped: Callable[[ASGIApp], ASGIApp], error: BaseException, begin: bool
) -> None:
    sent: list[Any] = []

    async def send(message: Message) -> None:
        sent.append(message)

    context = RequestContext(wrapped(failing(error, begin=begin)))
    if begin:
        with pytest.raises(type(error)):
            await context(dict(SCOPE), receive, send)
    else:
        await context(dict(SCOPE), receive, send)

    (status,) = [message["status"] for message in sent if "status" in message]
    assert status == (200 if begin else 500 if isinstance(error, Exception) else 503)
