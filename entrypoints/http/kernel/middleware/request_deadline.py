"""The request timeout: every request gets a response within its deadline."""

import asyncio
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from entrypoints.http.kernel.problems.outage_log import OutageLog
from entrypoints.http.kernel.problems.outcome import failure
from entrypoints.http.kernel.problems.problem_types import DEADLINE_EXCEEDED

_Task = asyncio.Task[Any]
_LATE = TimeoutError("a request did not end within its deadline")


class RequestDeadline:
    """Pure ASGI middleware that cancels a request which has no response in time, and responds with
    503. A cancellation by anybody else goes on."""

    def __init__(self, app: ASGIApp, seconds: float, outage_log: OutageLog) -> None:
        self._app = app
        self._seconds = seconds
        self._outage_log = outage_log
        self._loop: asyncio.AbstractEventLoop | None = None
        self._deadlines: _Deadlines

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # To find out which loop is running takes Python 3.11 a system call.
        task = asyncio.current_task(self._loop) or asyncio.current_task()
        if scope["type"] != "http" or task is None:
            await self._app(scope, receive, send)
            return
        if task.get_loop() is not self._loop:
            # A test suite runs the same app on one event loop after the other.
            self._loop = task.get_loop()
            self._deadlines = _Deadlines(self._loop, self._seconds)
        deadlines, pending = self._deadlines, self._deadlines.pending
        deadlines.add(task)

        awaits_body: bool = scope.get("body_is_timed", False)

        async def receive_in_time() -> Message:
            # `HttpProtocol` bounds the time that the client takes to send the body, and a large
            # one takes longer than this deadline, which counts from each piece on.
            nonlocal awaits_body
            if not awaits_body:
                return await receive()
            pending.pop(task, None)
            message = await receive()
            if awaits_body:
                awaits_body = message.get("more_body", False)
                deadlines.add(task)
            return message

        def send_in_time(message: Message) -> Any:
            # What has begun cannot be replaced by another response, and may take its time.
            nonlocal awaits_body
            awaits_body = False
            pending.pop(task, None)
            return send(message)

        try:
            await self._app(scope, receive_in_time if awaits_body else receive, send_in_time)
        except asyncio.CancelledError:
            others = deadlines.cancelled.pop(task, None)
            if others is None or task.uncancel() > others:
                raise
            self._outage_log.record(_LATE)
            await failure(scope, DEADLINE_EXCEEDED, "The time for this request ran out.")(
                scope, receive, send
            )
        finally:
            pending.pop(task, None)
            if deadlines.cancelled and deadlines.cancelled.pop(task, None) is not None:
                task.uncancel()  # it sent a response in spite of it


class _Deadlines:
    """The deadlines of an event loop's requests.

    A timer for each request would cost more than all the rest here. All requests have the same
    time, so that the order in which they came is that of their deadlines, and one timer for the
    oldest of them will do.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, seconds: float) -> None:
        self._loop = loop
        self._seconds = seconds
        # A dict keeps the order, and lets a request leave from anywhere in it.
        self.pending: dict[_Task, float] = {}
        # Which were cancelled here, and how many cancellations by others they had before that.
        self.cancelled: dict[_Task, int] = {}
        self._timer: asyncio.TimerHandle | None = None

    def add(self, task: _Task) -> None:
        self.pending[task] = deadline = self._loop.time() + self._seconds
        if self._timer is None:
            self._timer = self._loop.call_at(deadline, self._cancel_late_ones)

    def _cancel_late_ones(self) -> None:
        self._timer = None
        now = self._loop.time()
        while self.pending:
            task, deadline = next(iter(self.pending.items()))
            if deadline > now:
                self._timer = self._loop.call_at(deadline, self._cancel_late_ones)
                return
            del self.pending[task]
            self.cancelled[task] = task.cancelling()
            task.cancel()
