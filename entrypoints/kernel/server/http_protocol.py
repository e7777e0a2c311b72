"""What happens on a connection before the app is asked, and when its client has gone."""

import asyncio
import socket
from time import monotonic
from typing import Any, cast
from uuid import uuid4

import httptools
import structlog
from starlette.middleware.body_limit import MAX_BODY_SIZE_SCOPE_KEY
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import (
    HttpToolsProtocol,
    RequestResponseCycle,
)

from entrypoints.http.kernel.problems.problem import problem
from entrypoints.http.kernel.problems.problem_types import (
    BODY_TOO_LARGE,
    HEADER_TOO_LARGE,
    MALFORMED_REQUEST,
    REQUEST_TOO_SLOW,
    URL_TOO_LONG,
    ProblemType,
    phrase,
)
from entrypoints.kernel.server.body_rate import DEFAULT_BODY_RATE, body_rate_of
from entrypoints.kernel.server.buffered_transport import BufferedTransport
from entrypoints.kernel.server.config import ServerConfig

MAX_URL_BYTES = 8_000
"""What a server should take at least: RFC 9112, section 3."""
MAX_HEAD_BYTES = 32_000
MAX_FRAMING = 6
"""How many bytes may carry one of a body: chunks of a single byte each take so many."""
MAX_PENDING_BYTES = 65_536
"""How much is read ahead while the request before is served."""
WRITE_SECONDS = 20.0
"""How long a client may leave unread what was sent to it."""
PROBE_SECONDS = 0.5
"""How long after a client's FIN a response may take before the client has to show that it lives."""
_END = b"\r\n\r\n"
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_HEAD_TOO_LARGE = (HEADER_TOO_LARGE, f"The header fields have more than {MAX_HEAD_BYTES:,} bytes.")

_log = structlog.get_logger("entrypoints.http")


class HttpProtocol(HttpToolsProtocol):
    """uvicorn's protocol, with limits to the size of a request and to the time that it takes.

    One request at a time is parsed and served; what the client sends ahead waits, up to a bound.
    A request that is malformed, too large or too slow is rejected with a problem document, and the
    connection closed. The work for a client that has hung up is cancelled. A client that does not
    read its responses is cut off.
    """

    config: ServerConfig
    _running: RequestResponseCycle | None = None
    _task: "asyncio.Task[None] | None" = None
    # The request that is being read.
    _in_message = False
    _in_body = False
    _received = 0
    _length = 0
    _left = 0
    _body_bytes = 0
    _max_body_bytes = 0
    _rate = DEFAULT_BODY_RATE
    _is_admitted = False
    _expects_continue = False
    _asks_to_upgrade = False
    _reason: tuple[ProblemType, str] | None = None
    _is_rejected = False
    # The request that was read, and has no complete response.
    _in_progress = False
    # When to give up on what the client should do: send a request, or the rest of it.
    _due: float | None = None
    _left_when_paused: float | None = None
    _timer: asyncio.TimerHandle | None = None
    _timer_at = 0.0
    _unread: asyncio.TimerHandle | None = None
    _has_ended = False
    _probe: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        whole = BufferedTransport(
            transport, self.loop, lambda: self._in_message or self._is_rejected
        )
        super().connection_made(whole)  # type: ignore[arg-type]
        self.flow = _Flow(self)
        # Received, and not parsed yet.
        self._pending = bytearray()
        self._tail = b""
        self._expect_within(self.config.read_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        self._due = None
        for timer in (self._timer, self._probe):
            if timer:
                timer.cancel()
        self._stop_waiting_for_reader()
        super().connection_lost(exc)
        self._cancel()

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return  # it is read only so that the client can read what it was sent
        if self._pending or self._in_progress:
            self._pending += data
            if len(self._pending) > MAX_PENDING_BYTES:
                self.flow.pause_reading()
        else:
            # Most requests come alone, and often without a body: one piece, or two.
            start, size = 0, len(data)
            while start < size:
                end = self._end_of_piece(data, start)
                self._feed(data[start:end])
                start = end
                if not self._may_parse():
                    self._pending += data[start:]
                    break
        self._expect_the_rest()

    def eof_received(self) -> bool:  # type: ignore[override]
        """Return whether the connection stays open: a client that has sent its requests may close
        its side and wait for the responses (RFC 9112, section 9.6)."""
        if not self._in_progress or self._running is None:
            self.transport.flush()  # type: ignore[attr-defined]
            return False
        self._has_ended = True
        if not self._pending:
            self._running.keep_alive = False
        self._probe = self.loop.call_later(PROBE_SECONDS, self._ask_for_life)
        return True

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_message = True
        self._due = None
        self._length = self._left = self._body_bytes = 0

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
        if self._received > MAX_HEAD_BYTES:
            self._stop_parsing(*_HEAD_TOO_LARGE)
        hosts = 0
        for name, value in self.headers:
            if name == b"content-length":
                self._length = self._left = int(value)
            hosts += name == b"host"
        # RFC 9112, section 3.2.
        if hosts != 1 and (hosts or self.parser.get_http_version() == "1.1"):
            self._stop_parsing(MALFORMED_REQUEST, "A request has one Host.")
        super().on_headers_complete()
        self._in_body = True
        self._is_admitted = False
        self._max_body_bytes = self.config.max_body_bytes
        self._rate = DEFAULT_BODY_RATE
        self._due = None
        if self._length > self._max_body_bytes:
            # Only the route knows whether that is too much; see `app_reads`. A client that is told
            # no before it has sent all of it must not send its next request here.
            self.cycle.keep_alive = False
            self._expects_continue = self.cycle.waiting_for_100_continue
            self.cycle.waiting_for_100_continue = False
        # Trailers go to a list that nobody reads: they must not pass for header fields, which a
        # proxy may have checked (RFC 9110, section 6.5.1).
        self.headers = []

    def on_body(self, body: bytes) -> None:
        if self._left:
            self._left -= len(body)
        self._body_bytes += len(body)
        if self._body_bytes > self._max_body_bytes and (
            self._is_admitted or self.cycle.response_complete
        ):
            self._stop_parsing(BODY_TOO_LARGE, self._too_large())
        if self._due is not None:
            rate = self._rate
            earned = self._due + len(body) / rate.bytes_per_second
            self._due = min(earned, monotonic() + rate.seconds)
        super().on_body(body)

    def on_message_complete(self) -> None:
        if self._asks_to_upgrade:
            return
        self._in_message = self._in_body = False
        self._received = 0
        self._tail = b""
        self._due = self._left_when_paused = None
        super().on_message_complete()
        if self.cycle.response_complete:
            self._expect_within(self.timeout_keep_alive)
        else:
            self._in_progress = True

    def on_response_complete(self) -> None:
        # In place of uvicorn's: it serves what was parsed already, and here nothing is.
        self.server_state.total_requests += 1
        self._in_progress = False
        if self.transport.is_closing():
            self._wait_for_reader()
            return
        if self._pending:
            self._parse_pending()
        if self.flow.read_paused and (not self._in_body or self.cycle.response_complete):
            self.flow.resume_reading()
        if self._in_progress or self.transport.is_closing():
            return
        if self._has_ended:
            self._close()
        elif self._in_message:
            self._expect_the_rest()
        else:
            self._expect_within(self.timeout_keep_alive)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._wait_for_reader()

    def resume_writing(self) -> None:
        if not self.transport.is_closing():
            self._stop_waiting_for_reader()
        super().resume_writing()

    def app_reads(self) -> None:
        """The app asks for the body, or for more of it: it has found the route, which may have
        limits of its own."""
        if not (self._in_message or self._body_bytes > self._max_body_bytes) or (
            self.cycle.response_complete
        ):
            return
        scope = cast(dict[str, Any], self.cycle.scope)
        self._max_body_bytes = scope.get(MAX_BODY_SIZE_SCOPE_KEY, self.config.max_body_bytes)
        if max(self._length, self._body_bytes) > self._max_body_bytes:
            self._reject(BODY_TOO_LARGE, self._too_large())
            # Whoever reads is cancelled, and must not go on with what has come.
            self.cycle.message_event.clear()
            return
        if not self._is_admitted:
            self._is_admitted = True
            self._rate = body_rate_of(scope.get("endpoint"))
            if self._due is not None:
                self._expect_within(self._rate.seconds)
            elif self._left_when_paused is not None:
                self._left_when_paused = self._rate.seconds
        if self._expects_continue:
            self._expects_continue = False
            self.transport.write(_CONTINUE)

    def reading_paused(self) -> None:
        """Stop the clock: the client cannot send."""
        if self._in_message:
            due, self._due = self._due, None
            self._left_when_paused = self._rate.seconds if due is None else due - monotonic()

    def reading_resumed(self) -> None:
        """Let the clock run again."""
        if self._left_when_paused is not None:
            self._expect_within(self._left_when_paused)
            self._left_when_paused = None

    def may_read_more(self) -> bool:
        """Return whether there is room for what the client sends ahead."""
        return len(self._pending) <= MAX_PENDING_BYTES

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        # As uvicorn does, but the task is kept.
        self._running = cycle
        self._task = self.loop.create_task(cycle.run_asgi(app))
        self._task.add_done_callback(self.tasks.discard)
        self.tasks.add(self._task)

    def _may_parse(self) -> bool:
        return not (self._in_progress or self.transport.is_closing())

    def _end_of_piece(self, data: bytes | bytearray, start: int = 0) -> int:
        """Return up to where the data can be parsed without parsing two requests.

        A request ends at the length of its body, or at an empty line: that of its head, or that
        behind its last chunk and trailers (RFC 9112, sections 2.1 and 7.1).
        """
        if self._left:
            return min(start + self._left, len(data))
        if self._tail:
            across = (self._tail + data[start : start + len(_END) - 1]).find(_END)
            if across >= 0:
                return start + across + len(_END) - len(self._tail)
        found = data.find(_END, start)
        return found + len(_END) if found >= 0 else len(data)

    def _parse_pending(self) -> None:
        """Parse up to the end of a request, and on as long as there is none to be served."""
        while self._pending and self._may_parse():
            end = self._end_of_piece(self._pending)
            piece = bytes(self._pending[:end])
            del self._pending[:end]
            self._feed(piece)

    def _feed(self, piece: bytes) -> None:
        self._received += len(piece)
        try:
            self.parser.feed_data(piece)
        except httptools.HttpParserError:
            # The parser's own error, or that of one of the callbacks here.
            self._reject(
                *(self._reason or (MALFORMED_REQUEST, "This is not HTTP as RFC 9112 defines it."))
            )
        except httptools.HttpParserUpgrade:
            self._ignore_upgrade()
        else:
            if self._in_message and not self._left:
                self._tail = (self._tail + piece[-len(_END) :])[1 - len(_END) :]
            if not self._in_body:
                if self._received > MAX_HEAD_BYTES:
                    self._reject(*_HEAD_TOO_LARGE)
            elif self._received > 2 * MAX_HEAD_BYTES + MAX_FRAMING * self._body_bytes:
                self._reject(
                    BODY_TOO_LARGE, "The body has too much around it: chunk sizes, or trailers."
                )

    def _ignore_upgrade(self) -> None:
        """Read the request as if it did not ask for another protocol (RFC 9110, section 7.8).

        The parser that has seen it ask reads nothing more, not even the body.
        """
        version = self.parser.get_http_version().encode()
        method = self.parser.get_method()
        fields = b"".join(b"%b: %b\r\n" % field for field in self.headers if field[0] != b"upgrade")
        self.parser = httptools.HttpRequestParser(self)
        self._asks_to_upgrade = False
        self._received = 0
        self._feed(b"%b %b HTTP/%b\r\n%b\r\n" % (method, self.url, version, fields))

    def _too_large(self) -> str:
        return f"The body has more than {self._max_body_bytes:,} bytes."

    def _stop_parsing(self, problem_type: ProblemType, detail: str) -> None:
        self._reason = (problem_type, detail)
        raise ValueError(detail)  # the parser makes this an error of its own

    def _expect_the_rest(self) -> None:
        """Start the clock if a request has come in part. Most come whole, and never do that."""
        if self._in_body:
            # The app has yet to begin: the task was made in this turn of the event loop.
            self.scope["body_is_timed"] = True  # type: ignore[typeddict-unknown-key]
        if self._in_message and self._due is None and not self.flow.read_paused:
            seconds = self._rate.seconds if self._in_body else self.config.read_seconds
            self._expect_within(seconds)

    def _expect_within(self, seconds: float) -> None:
        # Not the loop's own time: that is when its turn began.
        self._due = monotonic() + seconds
        if self._timer is None or self._due < self._timer_at:
            if self._timer:
                self._timer.cancel()
            self._set_timer(seconds)

    def _set_timer(self, seconds: float) -> None:
        self._timer_at = monotonic() + seconds
        self._timer = self.loop.call_later(max(seconds, 0.001), self._look)

    def _look(self) -> None:
        """Give up if it is time. One timer serves for whatever is due next: to set another one for
        each request would cost more."""
        self._timer = None
        if self._due is None:
            return
        remaining = self._due - monotonic()
        if remaining > 0:
            self._set_timer(remaining)
        else:
            # A loop that was late has read what had come before it runs its timers.
            self._give_up()

    def _give_up(self) -> None:
        if not self._in_message:
            self._close()  # nothing came at all
        elif self._in_body:
            rate = f"{self._rate.bytes_per_second:,g} bytes a second"
            self._reject(
                REQUEST_TOO_SLOW, f"The body came more than {self._rate.seconds:g} s behind {rate}."
            )
        else:
            self._reject(
                REQUEST_TOO_SLOW,
                f"The head took more than {self.config.read_seconds:g} seconds to arrive.",
            )

    def _ask_for_life(self) -> None:
        """Find out whether the client has hung up, or has only said that it sends no more: its FIN
        is the same. The system of a client that is gone responses whatever is sent with a reset.

        A client ignores 100 Continue if it expects none (RFC 9110, section 15.2.1). HTTP/1.0 has no
        such response: there the client is taken to be gone.
        """
        cycle = self._running
        if cycle is None or self.transport.is_closing():
            return
        if not cycle.response_started:
            if cycle.scope["http_version"] == "1.0":
                self.transport.abort()
                return
            self.transport.write(_CONTINUE)
        self._probe = self.loop.call_later(PROBE_SECONDS / 4, self._look_for_reset)

    def _look_for_reset(self) -> None:
        connection = self.transport.get_extra_info("socket")
        if connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self.transport.abort()
        else:
            self._probe = self.loop.call_later(2 * PROBE_SECONDS, self._ask_for_life)

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

    def _reject(self, problem_type: ProblemType, detail: str) -> None:
        """Respond in the app's place, and close the connection."""
        self._due = self._left_when_paused = None
        if self._in_body or self._in_progress:
            if self.cycle.response_started:
                self._close()  # the app responded before it had read all
                return
            self._cancel()
        self._is_rejected = True
        self.transport.write(self._response(problem_type, detail))
        self._close()

    def _response(self, problem_type: ProblemType, detail: str) -> bytes:
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
        _log.info("rejected", status=status, reason=detail, request_id=request_id)
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


class _Flow(FlowControl):
    """uvicorn's flow control, which lets the protocol know what the app and the transport do."""

    def __init__(self, protocol: HttpProtocol) -> None:
        super().__init__(protocol.transport)
        self._protocol = protocol

    def pause_reading(self) -> None:
        if not self.read_paused:
            super().pause_reading()
            self._protocol.reading_paused()

    def resume_reading(self) -> None:
        self._protocol.app_reads()
        if self.read_paused and self._protocol.may_read_more():
            super().resume_reading()
            self._protocol.reading_resumed()
