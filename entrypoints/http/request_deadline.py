"""Every request is answered within its deadline."""

import asyncio
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from application.errors import OutcomeUnknown
from entrypoints.http.problem import problem
from entrypoints.http.problem_types import DEADLINE_EXCEEDED, OUTCOME_UNKNOWN

_Task = asyncio.Task[Any]


class RequestDeadline:
    """Pure ASGI middleware that cancels a request which has no answer in time, and answers 503.

    A cancellation by anybody else goes on. One whose cause is `OutcomeUnknown` struck a commit,
    and the answer says so.

    A timer for each request would cost more than all the rest here. All requests have the same
    time, so that the order in which they came is that of their deadlines, and one timer for the
    oldest of them will do.
    """

    def __init__(self, app: ASGIApp, seconds: float) -> None:
        self._app = app
        self._seconds = seconds
        # A dict keeps the order, and lets a request leave from anywhere in it.
        self._deadlines: dict[_Task, float] = {}
        # Which were cancelled here, and how many cancellations by others they had before that.
        self._cancelled: dict[_Task, int] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # To find out which loop is running takes Python 3.11 a system call.
        task = asyncio.current_task(self._loop) or asyncio.current_task()
        if scope["type"] != "http" or task is None:
            await self._app(scope, receive, send)
            return
        self._loop = loop = task.get_loop()
        deadlines = self._deadlines
        deadlines[task] = deadline = loop.time() + self._seconds
        if self._timer is None:
            self._timer = loop.call_at(deadline, self._cancel_late_ones, loop)

        def send_in_time(message: Message) -> Any:
            # What has begun cannot be replaced by another answer, and may take its time.
            deadlines.pop(task, None)
            return send(message)

        try:
            await self._app(scope, receive, send_in_time)
        except asyncio.CancelledError as error:
            others = self._cancelled.pop(task, None)
            if others is None or task.uncancel() > others:
                raise
            await _too_late(scope, error.__cause__)(scope, receive, send)
        finally:
            deadlines.pop(task, None)
            if self._cancelled and self._cancelled.pop(task, None) is not None:
                task.uncancel()  # it answered in spite of it

    def _cancel_late_ones(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
        now = loop.time()
        while self._deadlines:
            task, deadline = next(iter(self._deadlines.items()))
            if deadline > now:
                self._timer = loop.call_at(deadline, self._cancel_late_ones, loop)
                return
            del self._deadlines[task]
            self._cancelled[task] = task.cancelling()
            task.cancel()


def _too_late(scope: Scope, cause: BaseException | None) -> ASGIApp:
    if isinstance(cause, OutcomeUnknown):
        detail = "The time for this request ran out during its commit; check before retrying."
        return problem(scope, OUTCOME_UNKNOWN, detail)
    detail = "The time for this request ran out. Nothing was changed."
    return problem(scope, DEADLINE_EXCEEDED, detail)
