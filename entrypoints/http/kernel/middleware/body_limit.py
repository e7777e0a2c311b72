"""The limit for the size of request bodies, for servers that have none."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from entrypoints.http.kernel.problems.problem import HTTPProblem, problem
from entrypoints.http.kernel.problems.problem_types import BODY_TOO_LARGE


class BodyLimit:
    """Pure ASGI middleware that rejects a body of more than so many bytes: before it is read if the
    request has a Content-Length, otherwise when so many bytes have been read.

    `HttpProtocol` does the same for `python -m entrypoints`. Starlette's own middleware responds
    with plain text.
    """

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._detail = f"The body is larger than {max_bytes:,} bytes."

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if _declared_length(scope) > self._max_bytes:
            await problem(scope, BODY_TOO_LARGE, self._detail)(scope, receive, send)
            return
        received = 0

        async def receive_within_limit() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._max_bytes:
                raise HTTPProblem(BODY_TOO_LARGE, self._detail)
            return message

        await self._app(scope, receive_within_limit, send)


def _declared_length(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value)
    return 0
