"""What happens on a connection before the app is asked, and when its client has gone."""

import asyncio
from typing import TYPE_CHECKING, Any, cast
from uuid import uuid4

import httptools
import structlog
from uvicorn.protocols.http.httptools_impl import (
    HttpToolsProtocol,
    RequestResponseCycle,
)

from entrypoints.http.problem import problem
from entrypoints.http.problem_types import (
    BODY_TOO_LARGE,
    HEADER_TOO_LARGE,
    MALFORMED_REQUEST,
    REQUEST_TOO_SLOW,
    URL_TOO_LONG,
    ProblemType,
    phrase,
)
from entrypoints.http.whole_answers import WholeAnswers

if TYPE_CHECKING:
    from entrypoints.server import ServerConfig

MAX_URL_BYTES = 8_000
"""What a server should take at least: RFC 9112, section 3."""
MAX_HEAD_BYTES = 32_000
MAX_FRAMING = 6
"""How many bytes may carry one of a body: chunks of a single byte each take so many."""
WRITE_SECONDS = 20.0
"""How long a client may leave unread what was sent to it."""
LINGER_SECONDS = 1.0
_HEAD_TOO_LARGE = (HEADER_TOO_LARGE, f"The header fields have more than {MAX_HEAD_BYTES:,} bytes.")

_log = structlog.get_logger("entrypoints.http")


class HttpProtocol(HttpToolsProtocol):
    """uvicorn's protocol, with limits to the size of a request and to the time that it takes.

    A request that is malformed, too large or too slow is refused with a problem document, and the
    connection closed. The work for a client that has hung up is cancelled: nobody waits for it.
    A client that does not read its answers is cut off.
    """

    config: "ServerConfig"
    _running: RequestResponseCycle | None = None
    _task: "asyncio.Task[None] | None" = None
    _reading = False
    _in_head = False
    _received = 0
    _body_bytes = 0
    _asks_to_upgrade = False
    _too_slow: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None
    _reason: tuple[ProblemType, str] | None = None
    _is_refused = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(WholeAnswers(transport, self.loop))  # type: ignore[arg-type]
        self._too_slow = self.loop.call_later(self.config.read_seconds, self._give_up)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        self._stop_waiting_for_reader()
        super().connection_lost(exc)
        self._cancel()

    def data_received(self, data: bytes) -> None:
        if self._is_refused:
            return
        self._feed(data)
        if self._reading and not self._is_refused:
            self._received += len(data)
            if self._in_head and self._received > MAX_HEAD_BYTES:
                self._refuse(*_HEAD_TOO_LARGE)
            elif self._received > MAX_HEAD_BYTES + MAX_FRAMING * self.config.max_body_bytes:
                self._refuse(
                    BODY_TOO_LARGE, "The body has too much around it: chunk sizes, or trailers."
                )
        if not self._reading:
            self._stop_waiting()
        elif self._too_slow is None and not self._is_refused:
            # Most requests come whole, and never get here.
            self._too_slow = self.loop.call_later(self.config.read_seconds, self._give_up)

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002
        """Refuse what the parser, or one of its callbacks here, did not take."""
        self._refuse(
            *(self._reason or (MALFORMED_REQUEST, "This is not HTTP as RFC 9112 defines it."))
        )

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._reading = self._in_head = True
        self._received = self._body_bytes = 0

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        if len(self.url) > MAX_URL_BYTES:
            self._stop_parsing(URL_TOO_LONG, f"The URL has more than {MAX_URL_BYTES:,} bytes.")

    def on_headers_complete(self) -> None:
        if self.parser.should_upgrade():
            if self.parser.get_method() == b"CONNECT":
                self._stop_parsing(MALFORMED_REQUEST, "CONNECT is for proxies.")
            self._asks_to_upgrade = True
            return
        self._in_head = False
        hosts = size = 0
        for name, value in self.headers:
            size += len(name) + len(value) + len(b": \r\n")
            if name == b"content-length" and int(value) > self.config.max_body_bytes:
                self._too_large()
            hosts += name == b"host"
        if size > MAX_HEAD_BYTES:
            self._stop_parsing(*_HEAD_TOO_LARGE)
        # RFC 9112, section 3.2.
        if hosts != 1 and (hosts or self.parser.get_http_version() == "1.1"):
            self._stop_parsing(MALFORMED_REQUEST, "A request has one Host.")
        super().on_headers_complete()
        # Trailers go to a list that nobody reads: they must not pass for header fields, which a
        # proxy may have checked (RFC 9110, section 6.5.1).
        self.headers = []

    def on_body(self, body: bytes) -> None:
        self._body_bytes += len(body)
        if self._body_bytes > self.config.max_body_bytes:
            self._too_large()
        super().on_body(body)

    def on_message_complete(self) -> None:
        if not self._asks_to_upgrade:
            self._reading = False
            super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.transport.is_closing():
            self._wait_for_reader()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._wait_for_reader()

    def resume_writing(self) -> None:
        if not self.transport.is_closing():
            self._stop_waiting_for_reader()
        super().resume_writing()

    def timeout_keep_alive_handler(self) -> None:
        self._close()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        # As uvicorn does, but the task is kept.
        self._running = cycle
        self._task = self.loop.create_task(cycle.run_asgi(app))
        self._task.add_done_callback(self.tasks.discard)
        self.tasks.add(self._task)

    def _feed(self, data: bytes) -> None:
        # As uvicorn does, but for the upgrade.
        self._unset_keepalive_if_required()
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserError:
            self.send_400_response("")
        except httptools.HttpParserUpgrade as upgrade:
            self._ignore_upgrade(data[upgrade.args[0] :])

    def _ignore_upgrade(self, rest: bytes) -> None:
        """Read the request as if it did not ask for another protocol (RFC 9110, section 7.8).

        The parser that has seen it ask reads nothing more, not even the body.
        """
        version = self.parser.get_http_version().encode()
        method = self.parser.get_method()
        fields = b"".join(b"%b: %b\r\n" % field for field in self.headers if field[0] != b"upgrade")
        self.parser = httptools.HttpRequestParser(self)
        self._asks_to_upgrade = False
        self._feed(b"%b %b HTTP/%b\r\n%b\r\n" % (method, self.url, version, fields) + rest)

    def _too_large(self) -> None:
        self._stop_parsing(
            BODY_TOO_LARGE, f"The body has more than {self.config.max_body_bytes:,} bytes."
        )

    def _stop_parsing(self, problem_type: ProblemType, detail: str) -> None:
        self._reason = (problem_type, detail)
        raise ValueError(detail)  # the parser makes this an error of its own

    def _stop_waiting(self) -> None:
        if self._too_slow:
            self._too_slow.cancel()
            self._too_slow = None

    def _give_up(self) -> None:
        if self._reading:
            detail = f"The request took more than {self.config.read_seconds:g} seconds to arrive."
            self._refuse(REQUEST_TOO_SLOW, detail)
        else:
            self._close()  # nothing came at all

    def _wait_for_reader(self) -> None:
        if self._unread is None:
            self._unread = self.loop.call_later(WRITE_SECONDS, self.transport.abort)

    def _stop_waiting_for_reader(self) -> None:
        if self._unread:
            self._unread.cancel()
            self._unread = None

    def _close(self) -> None:
        """Close the connection once the client has read what was sent, or will not."""
        self.transport.close()
        self._wait_for_reader()

    def _refuse(self, problem_type: ProblemType, detail: str) -> None:
        """Answer in the app's place, and close the connection."""
        self._is_refused = True
        self._stop_waiting()
        running = self._running
        if running and running is self.cycle and running.more_body:
            if running.response_started:
                self._close()  # it was answered before it was read
                return
            self._cancel()
        elif running and not running.response_complete:
            # The request before is still being answered, and this one has no turn.
            running.keep_alive = False
            return
        self.transport.write(self._answer(problem_type, detail))
        # A client that is still sending would lose the answer to a reset, so it may finish.
        self.flow.resume_reading()
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.loop.call_later(LINGER_SECONDS, self._close)

    def _answer(self, problem_type: ProblemType, detail: str) -> bytes:
        scope = cast(dict[str, Any], getattr(self, "scope", None) or {})
        request_id = scope.get("request_id") or uuid4().hex
        path = self.url[:200].partition(b"?")[0] if scope else b""
        where = {
            "raw_path": path,
            "path": path.decode("latin-1"),
            "root_path": self.config.path_prefix if path.startswith(b"/") else "",
        }
        response = problem({**where, "request_id": request_id}, problem_type, detail)
        fields = [
            *self.server_state.default_headers,
            *response.raw_headers,
            (b"x-request-id", request_id.encode()),
            (b"connection", b"close"),
        ]
        status = problem_type.status
        _log.info("refused", status=status, reason=detail, request_id=request_id)
        head = b"".join(b"%b: %b\r\n" % field for field in fields)
        return (
            b"HTTP/1.1 %d %b\r\n" % (status, phrase(status).encode())
            + head
            + b"\r\n"
            + bytes(response.body)
        )

    def _cancel(self) -> None:
        if self._running and self._task and not self._running.response_complete:
            self._running.disconnected = True
            self._running.scope["hung_up"] = True  # type: ignore[typeddict-unknown-key]
            self._task.cancel()
