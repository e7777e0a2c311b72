"""What happens on a connection, beside what uvicorn does there."""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle


class HttpProtocol(HttpToolsProtocol):
    """Ends the work for a client that has hung up: nobody waits for its answer."""

    _running: RequestResponseCycle | None = None
    _task: "asyncio.Task[None] | None" = None

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        # As uvicorn does, but the task is kept.
        self._running = cycle
        self._task = self.loop.create_task(cycle.run_asgi(app))
        self._task.add_done_callback(self.tasks.discard)
        self.tasks.add(self._task)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._running and self._task and not self._running.response_complete:
            self._running.disconnected = True
            self._running.scope["hung_up"] = True  # type: ignore[typeddict-unknown-key]
            self._task.cancel()
