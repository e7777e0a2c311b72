"""A request that takes too long is answered with 503; only its own deadline does that to it."""

import asyncio
from contextlib import suppress
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from application.errors import OutcomeUnknown
from entrypoints.http.app import create_app
from entrypoints.http.problem_types import DEADLINE_EXCEEDED, OUTCOME_UNKNOWN
from entrypoints.http.request_deadline import RequestDeadline
from tests.integration.problem_document import problem_of
from tests.integration.service import ITEMS, client_of, settings_for

SCOPE: Scope = {"type": "http", "path": "/", "raw_path": b"/", "headers": []}


async def receive() -> Message:
    raise AssertionError("nobody reads the body")


async def answer_after(seconds: float, scope: Scope, send: Send, *, begin: bool = False) -> None:
    start: Message = {"type": "http.response.start", "status": 200, "headers": []}
    if begin:
        await send(start)
    await asyncio.sleep(seconds)
    if not begin:
        await send(start)
    await send({"type": "http.response.body", "body": b""})


async def statuses(middleware: RequestDeadline) -> list[Any]:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    await middleware(dict(SCOPE), receive, send)
    return [message["status"] for message in sent if "status" in message]


async def test_requests_are_answered_in_time_each_by_its_own_deadline() -> None:
    delays = [0.0, 5.0, 0.01, 5.0, 0.0]

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await answer_after(delays.pop(0), scope, send)

    middleware = RequestDeadline(app, 0.1)

    async with asyncio.timeout(2):
        answers = await asyncio.gather(*(statuses(middleware) for _ in range(5)))
        delays[:] = [5.0]
        later = await statuses(middleware)

    assert answers == [[200], [503], [200], [503], [200]]
    assert later == [503]
    assert not middleware._deadlines
    assert not middleware._cancelled


async def test_the_task_is_not_left_cancelled() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(5)

    assert await statuses(RequestDeadline(app, 0.01)) == [503]
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
    async with asyncio.timeout(1):
        await asyncio.sleep(0)


async def test_a_cancellation_by_someone_else_goes_on() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(5)

    task = asyncio.create_task(statuses(RequestDeadline(app, 5)))
    await asyncio.sleep(0)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_cancellation_by_someone_else_at_the_deadline_goes_on() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await asyncio.sleep(5)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            assert task is not None
            task.cancel()
            raise

    with pytest.raises(asyncio.CancelledError):
        await asyncio.create_task(statuses(RequestDeadline(app, 0.01)))


async def test_an_answer_that_has_begun_is_not_cut_off() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await answer_after(0.1, scope, send, begin=True)

    assert await statuses(RequestDeadline(app, 0.01)) == [200]


async def test_an_answer_in_spite_of_the_cancellation_is_sent() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(5)
        await answer_after(0, scope, send)

    assert await statuses(RequestDeadline(app, 0.01)) == [200]
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


@pytest.mark.parametrize("in_doubt", [False, True])
async def test_the_answer_says_whether_a_commit_was_under_way(
    in_doubt: bool, log_lines: list[Any]
) -> None:
    class Slow:
        async def __aenter__(self) -> Any:
            try:
                await asyncio.sleep(5)
            except asyncio.CancelledError as error:
                if in_doubt:
                    raise error from OutcomeUnknown("cancelled while it committed")
                raise

        async def __aexit__(self, *_: object) -> None: ...

    class Units:
        def for_writing(self) -> Slow:
            return Slow()

    settings = settings_for("memory://", request_deadline_seconds=0.1)
    async with client_of(create_app(settings, units_of_work=Units())) as client:
        answer = await client.post(ITEMS, json={"name": "lamp"})

    expected = OUTCOME_UNKNOWN if in_doubt else DEADLINE_EXCEEDED
    detail = problem_of(answer, expected)["detail"]
    assert ("Nothing was changed" in detail) is not in_doubt
    assert ("check before retrying" in detail) is in_doubt
    assert log_lines[-1]["status"] == 503
