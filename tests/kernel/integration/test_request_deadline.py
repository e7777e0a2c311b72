"""A request that takes too long gets 503; only its own deadline does that to it."""

import asyncio
from contextlib import suppress
from typing import Any

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from entrypoints.http.kernel.middleware.request_deadline import RequestDeadline
from entrypoints.http.kernel.problems.outage_log import OutageLog

SCOPE: Scope = {"type": "http", "path": "/", "raw_path": b"/", "headers": []}


async def receive() -> Message:
    raise AssertionError("the body must not be read")


async def respond_after(seconds: float, scope: Scope, send: Send, *, begin: bool = False) -> None:
    start: Message = {"type": "http.response.start", "status": 200, "headers": []}
    if begin:
        await send(start)
    await asyncio.sleep(seconds)
    if not begin:
        await send(start)
    await send({"type": "http.response.body", "body": b""})


def deadline_of(seconds: float, app: ASGIApp) -> RequestDeadline:
    return RequestDeadline(app, seconds, OutageLog())


async def statuses(middleware: RequestDeadline) -> list[Any]:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    await middleware(dict(SCOPE), receive, send)
    return [message["status"] for message in sent if "status" in message]


async def test_every_request_has_its_own_deadline() -> None:
    delays = [0.0, 5.0, 0.01, 5.0, 0.0]

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await respond_after(delays.pop(0), scope, send)

    middleware = deadline_of(0.1, app)

    async with asyncio.timeout(2):
        responses = await asyncio.gather(*(statuses(middleware) for _ in range(5)))
        delays[:] = [5.0]
        later = await statuses(middleware)

    assert responses == [[200], [503], [200], [503], [200]]
    assert later == [503]
    assert not middleware._deadlines.pending
    assert not middleware._deadlines.cancelled


async def test_the_task_is_not_left_cancelled() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(5)

    assert await statuses(deadline_of(0.01, app)) == [503]
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
    async with asyncio.timeout(1):
        await asyncio.sleep(0)


async def test_a_cancellation_by_other_code_propagates() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(5)

    task = asyncio.create_task(statuses(deadline_of(5, app)))
    await asyncio.sleep(0)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_cancellation_by_other_code_at_the_deadline_propagates() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await asyncio.sleep(5)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            assert task is not None
            task.cancel()
            raise

    with pytest.raises(asyncio.CancelledError):
        await asyncio.create_task(statuses(deadline_of(0.01, app)))


async def test_a_response_that_has_begun_is_not_cut_off() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await respond_after(0.1, scope, send, begin=True)

    assert await statuses(deadline_of(0.01, app)) == [200]


async def test_a_response_in_spite_of_the_cancellation_is_sent() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(5)
        await respond_after(0, scope, send)

    assert await statuses(deadline_of(0.01, app)) == [200]
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


def test_a_second_event_loop_has_deadlines_too() -> None:
    """Guards the timer: the one of a loop that was closed before it went off never does."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await respond_after(delays.pop(0), scope, send)

    delays = [0.0, 5.0]
    middleware = deadline_of(0.1, app)

    assert asyncio.run(statuses(middleware)) == [200]
    assert asyncio.run(asyncio.wait_for(statuses(middleware), 2)) == [503]


async def test_the_log_has_a_line_for_requests_that_run_out_of_time(log_lines: list[Any]) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(5)

    middleware = deadline_of(0.01, app)
    await asyncio.gather(*(statuses(middleware) for _ in range(5)))

    (line,) = [line for line in log_lines if line["event"] == "requests failed"]
    assert "deadline" in line["reason"]
    assert line["log_level"] == "warning"
