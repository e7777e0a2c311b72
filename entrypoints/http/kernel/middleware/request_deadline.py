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
    """Pure ASGI middleware that cancels a request which has no response within the deadline, and
    responds with 503. Cancellations by others are passed on."""

    def __init__(self, app: ASGIApp, seconds: float, outage_log: OutageLog) -> None:
        self._app = app
        self._seconds = seconds
        self._outage_log = outage_log
        self._loop: asyncio.AbstractEventLoop | None = None
        self._deadlines: _Deadlines

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # In Python 3.11, finding the running loop takes a system call.
        task = asyncio.current_task(self._loop) or asyncio.current_task()
        if scope["type"] != "http" or task is None:
            await self._app(scope, receive, send)
            return
        if task.get_loop() is not self._loop:
            # A test suite can run the same app on several event loops, one after the other.
            self._loop = task.get_loop()
            self._deadlines = _Deadlines(self._loop, self._seconds)
        deadlines, pending = self._deadlines, self._deadlines.pending
        deadlines.add(task)

        awaits_body: bool = scope.get("body_is_timed", False)

        async def receive_in_time() -> Message:
            # `HttpProtocol` has its own timeout for the arrival of the body. A large body takes
            # longer than this deadline, which starts again with each piece.
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
            # A response that has begun cannot be replaced; it has no deadline.
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
            await failure(
                scope, DEADLINE_EXCEEDED, "The request was not finished within its deadline."
            )(scope, receive, send)
        finally:
            pending.pop(task, None)
            if deadlines.cancelled and deadlines.cancelled.pop(task, None) is not None:
                task.uncancel()  # it sent a response in spite of it


class _Deadlines:
    """The deadlines of an event loop's requests.

    A timer for each request would cost more than the rest of this middleware. All requests have
    the same time limit, so that their deadlines are in the order of their arrival, and one timer
    for the oldest request is enough.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, seconds: float) -> None:
        self._loop = loop
        self._seconds = seconds
        # A dict is ordered, and a request can be removed from anywhere.
        self.pending: dict[_Task, float] = {}
        # The tasks that were cancelled here, with the number of cancellations by others before
        # that.
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
