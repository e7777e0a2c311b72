"""A queue in front of the app, for more requests than the event loop can start at once."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable

STARTS_PER_TURN = 16
"""How many requests start in each turn of the event loop."""


class StartQueue:
    """Starts requests in the order of arrival, a few in each turn of the event loop.

    If all that have arrived start at once, they share the processor, and none has its response
    before the others: clients with a time limit give up together, after all the work was done.
    The number of requests in progress has no limit here, so that those which wait for something
    else, such as a lock in the database, delay no others.
    """

    def __init__(self) -> None:
        self._waiting: OrderedDict[object, Callable[[], bool]] = OrderedDict()
        self._started = 0
        self._is_scheduled = False

    def __contains__(self, client: object) -> bool:
        return client in self._waiting

    def may_start(self, loop: asyncio.AbstractEventLoop) -> bool:
        """Count a request and return True if it may start in this turn of the event loop."""
        if self._waiting or self._started == STARTS_PER_TURN:
            return False
        self._started += 1
        if not self._is_scheduled:
            self._schedule(loop)
        return True

    def add(self, client: object, start: Callable[[], bool]) -> None:
        """Let a request wait, after `may_start` returned False. `start` starts it, and returns
        False if its client has gone."""
        self._waiting[client] = start

    def discard(self, client: object) -> None:
        """Remove the client's request, if there is one."""
        self._waiting.pop(client, None)

    def _schedule(self, loop: asyncio.AbstractEventLoop) -> None:
        self._is_scheduled = True
        loop.call_soon(self._begin_turn, loop)

    def _begin_turn(self, loop: asyncio.AbstractEventLoop) -> None:
        self._started = 0
        self._is_scheduled = False
        if self._waiting:
            self._schedule(loop)
        while self._waiting and self._started < STARTS_PER_TURN:
            _, start = self._waiting.popitem(last=False)
            self._started += start()
