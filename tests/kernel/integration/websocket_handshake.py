"""A websocket's handshake with an app, without a network (ASGI, section "WebSocket")."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from starlette.types import ASGIApp, Message

DENIAL = "websocket.http.response"


@dataclass
class Handshake:
    """What the app sent, up to the end of its call."""

    messages: list[Message]

    @property
    def is_accepted(self) -> bool:
        return str(self.messages[0]["type"]) == "websocket.accept"

    @property
    def status(self) -> int:
        """The status that the client gets."""
        first = self.messages[0]
        if first["type"] == "websocket.close":
            return 403  # what a server makes of it
        return 101 if self.is_accepted else int(first["status"])


async def open_websocket(
    app: ASGIApp,
    path: str,
    headers: Sequence[tuple[str, str]] = (),
    *,
    can_deny: bool = True,
    root_path: str = "",
) -> Handshake:
    """Ask for a websocket, and leave once the app has accepted it; `can_deny` is whether the server
    has the extension to respond with more than a bare 403."""
    messages: list[Message] = []
    to_receive: list[Message] = [
        {"type": "websocket.connect"},
        {"type": "websocket.disconnect", "code": 1000},
    ]

    async def receive() -> Message:
        return to_receive.pop(0)

    async def send(message: Message) -> None:
        messages.append(message)

    path, _, query = path.partition("?")
    scope: dict[str, Any] = {
        "type": "websocket",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "scheme": "ws",
        "server": ("127.0.0.1", 8000),
        "client": ("127.0.0.1", 1234),
        "path": unquote(path),
        "raw_path": path.encode(),
        "root_path": root_path,
        "query_string": query.encode(),
        "headers": [
            (name.lower().encode(), value.encode())
            for name, value in (("Host", "api.shop.test"), *headers)
        ],
        "subprotocols": [],
        "state": {},
        "extensions": {DENIAL: {}} if can_deny else {},
    }
    await app(scope, receive, send)
    return Handshake(messages)
