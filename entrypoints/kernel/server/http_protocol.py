"""The HTTP/1.1 protocol of one connection: limits, timeouts, pipelining and disconnects."""

import asyncio
import socket
from functools import partial
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

from entrypoints.http.kernel.addresses import is_health_check
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
"""The length that a server should support at least: RFC 9112, section 3."""
MAX_HEAD_BYTES = 32_000
MAX_FRAMING = 6
"""The limit of received bytes per byte of the body: chunks of one byte take so many."""
MAX_PENDING_BYTES = 65_536
"""How much of pipelined requests is read while the request before them is served."""
WRITE_SECONDS = 20.0
"""The write timeout: how long a client may leave its response unread."""
PROBE_SECONDS = 0.5
"""How long after a client's FIN a response may take before the client is probed."""
_END = b"\r\n\r\n"
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_HEAD_TOO_LARGE = (HEADER_TOO_LARGE, f"The header fields are larger than {MAX_HEAD_BYTES:,} bytes.")

_log = structlog.get_logger("entrypoints.http")


class HttpProtocol(HttpToolsProtocol):
    """uvicorn's protocol, with limits for the size of a request and timeouts for its arrival.

    Requests are parsed and served one at a time. Pipelined requests wait in a buffer of limited
    size; after that, reading stops (backpressure). A request that is malformed, too large or too
    slow is rejected with a problem document, and the connection is closed. If a client disconnects,
    the work for it is cancelled. If a client does not read its responses, it is disconnected. Under
    overload, requests wait in `StartQueue`; health checks do not.
    """

    config: ServerConfig
    _running: RequestResponseCycle | None = None
    _task: "asyncio.Task[None] | None" = None
    # The request that is being received.
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
    # Whether a received request has no complete response yet.
    _in_progress = False
    # The read timeout: when the next request, or the rest of the current one, must have arrived.
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
        # Received but not parsed yet.
        self._pending = bytearray()
        self._tail = b""
        self._set_read_timeout(self.config.read_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        self._due = None
        for timer in (self._timer, self._probe):
            if timer:
                timer.cancel()
        self._stop_write_timeout()
        super().connection_lost(exc)
        self._cancel()

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return  # it is only read so that the client does not get a reset before its response
        if self._pending or self._in_progress:
            self._pending += data
            if len(self._pending) > MAX_PENDING_BYTES:
                self.flow.pause_reading()
        else:
            # Most requests are not pipelined and need one or two pieces.
            start, size = 0, len(data)
            while start < size:
                end = self._end_of_piece(data, start)
                self._feed(data[start:end])
                start = end
                if not self._may_parse():
                    self._pending += data[start:]
                    break
        self._start_read_timeout()

    def eof_received(self) -> bool:  # type: ignore[override]
        """Return whether the connection stays open: a client may half-close it after its last
        request and wait for the responses (RFC 9112, section 9.6)."""
        if not self._in_progress or self._running is None:
            self.transport.flush()  # type: ignore[attr-defined]
            return False
        self._has_ended = True
        if not self._pending:
            self._running.keep_alive = False
        # Under overload it has probably given up, and its request should cost nothing more.
        is_urgent = self in self.config.start_queue and self._running.scope["http_version"] != "1.0"
        self._probe = self.loop.call_later(0 if is_urgent else PROBE_SECONDS, self._probe_client)
        return True

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_message = True
        self._due = None
        self._length = self._left = self._body_bytes = 0

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        if len(self.url) > MAX_URL_BYTES:
            self._stop_parsing(URL_TOO_LONG, f"The URL is longer than {MAX_URL_BYTES:,} bytes.")

    def on_headers_complete(self) -> None:
        if self.parser.should_upgrade():
            if self.parser.get_method() == b"CONNECT":
                self._stop_parsing(
                    MALFORMED_REQUEST, "CONNECT is not supported: this server is not a proxy."
                )
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
            self._stop_parsing(
                MALFORMED_REQUEST, "A request must have exactly one Host header field."
            )
        super().on_headers_complete()
        self._in_body = True
        self._is_admitted = False
        self._max_body_bytes = self.config.max_body_bytes
        self._rate = DEFAULT_BODY_RATE
        self._due = None
        if self._length > self._max_body_bytes:
            # The route may have another limit: see `app_reads`. If the request is rejected before
            # all of it was sent, the connection cannot be used for another one.
            self.cycle.keep_alive = False
            self._expects_continue = self.cycle.waiting_for_100_continue
            self.cycle.waiting_for_100_continue = False
        # Trailers go to a list of their own and are ignored: they must not be merged into the
        # header fields, which a proxy may have checked (RFC 9110, section 6.5.1).
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
            self._set_read_timeout(self.timeout_keep_alive)
        else:
            self._in_progress = True

    def on_response_complete(self) -> None:
        # Replaces uvicorn's method, which serves requests that are parsed ahead; here none are.
        self.server_state.total_requests += 1
        self._in_progress = False
        if self.transport.is_closing():
            self._start_write_timeout()
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
            self._start_read_timeout()
        else:
            self._set_read_timeout(self.timeout_keep_alive)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._start_write_timeout()

    def resume_writing(self) -> None:
        if not self.transport.is_closing():
            self._stop_write_timeout()
        super().resume_writing()

    def app_reads(self) -> None:
        """Called when the app awaits the body or more of it. The route is known by then, and may
        have limits of its own."""
        if not (self._in_message or self._body_bytes > self._max_body_bytes) or (
            self.cycle.response_complete
        ):
            return
        scope = cast(dict[str, Any], self.cycle.scope)
        self._max_body_bytes = scope.get(MAX_BODY_SIZE_SCOPE_KEY, self.config.max_body_bytes)
        if max(self._length, self._body_bytes) > self._max_body_bytes:
            self._reject(BODY_TOO_LARGE, self._too_large())
            # The app is cancelled, and must not process what has arrived.
            self.cycle.message_event.clear()
            return
        if not self._is_admitted:
            self._is_admitted = True
            self._rate = body_rate_of(scope.get("endpoint"))
            if self._due is not None:
                self._set_read_timeout(self._rate.seconds)
            elif self._left_when_paused is not None:
                self._left_when_paused = self._rate.seconds
        if self._expects_continue:
            self._expects_continue = False
            self.transport.write(_CONTINUE)

    def reading_paused(self) -> None:
        """Pause the read timeout: the client cannot send."""
        if self._in_message:
            due, self._due = self._due, None
            self._left_when_paused = self._rate.seconds if due is None else due - monotonic()

    def reading_resumed(self) -> None:
        """Resume the read timeout."""
        if self._left_when_paused is not None:
            self._set_read_timeout(self._left_when_paused)
            self._left_when_paused = None

    def may_read_more(self) -> bool:
        """Return whether the buffer for pipelined requests has room."""
        return len(self._pending) <= MAX_PENDING_BYTES

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._running = cycle
        if self.config.start_queue.may_start(self.loop) or self._is_health_check(cycle):
            self._create_task(cycle, app)
        else:
            self.config.start_queue.add(self, partial(self._start_if_connected, cycle, app))

    def _start_if_connected(self, cycle: RequestResponseCycle, app: Any) -> bool:
        if self._has_ended and self._was_reset():
            self.transport.abort()
            return False
        self._create_task(cycle, app)
        return True

    def _create_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        # As uvicorn does; the task is stored so that it can be cancelled.
        self._task = self.loop.create_task(cycle.run_asgi(app))
        self._task.add_done_callback(self.tasks.discard)
        self.tasks.add(self._task)

    def _is_health_check(self, cycle: RequestResponseCycle) -> bool:
        # A proxy may pass the prefix on, which the app removes.
        return is_health_check({**cycle.scope, "root_path": self.config.path_prefix})

    def _may_parse(self) -> bool:
        return not (self._in_progress or self.transport.is_closing())

    def _end_of_piece(self, data: bytes | bytearray, start: int = 0) -> int:
        """Return the end of the data that can be parsed without parsing a second request.

        A request ends after its body's length, or at an empty line: after its head, or after its
        last chunk and trailers (RFC 9112, sections 2.1 and 7.1).
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
        """Parse pipelined requests until there is one to serve."""
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
            # An error of the parser, or of one of the callbacks of this class.
            self._reject(
                *(
                    self._reason
                    or (MALFORMED_REQUEST, "The request is not valid HTTP/1.1 (RFC 9112).")
                )
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
                    BODY_TOO_LARGE, "The chunk sizes or trailers of the body are too large."
                )

    def _ignore_upgrade(self) -> None:
        """Ignore `Upgrade`, as RFC 9110, section 7.8 allows.

        The parser stops at such a request and does not read its body. So a new parser gets the
        request without the header field.
        """
        version = self.parser.get_http_version().encode()
        method = self.parser.get_method()
        fields = b"".join(b"%b: %b\r\n" % field for field in self.headers if field[0] != b"upgrade")
        self.parser = httptools.HttpRequestParser(self)
        self._asks_to_upgrade = False
        self._received = 0
        self._feed(b"%b %b HTTP/%b\r\n%b\r\n" % (method, self.url, version, fields))

    def _too_large(self) -> str:
        return f"The body is larger than {self._max_body_bytes:,} bytes."

    def _stop_parsing(self, problem_type: ProblemType, detail: str) -> None:
        self._reason = (problem_type, detail)
        raise ValueError(detail)  # the parser turns it into an error of its own

    def _start_read_timeout(self) -> None:
        """Start the read timeout if a request has arrived only in part. Most arrive as a whole."""
        if self._in_body:
            # The app has not started: its task was created in this iteration of the event loop.
            self.scope["body_is_timed"] = True  # type: ignore[typeddict-unknown-key]
        if self._in_message and self._due is None and not self.flow.read_paused:
            seconds = self._rate.seconds if self._in_body else self.config.read_seconds
            self._set_read_timeout(seconds)

    def _set_read_timeout(self, seconds: float) -> None:
        # Not the loop's own time, which is that of the start of its iteration.
        self._due = monotonic() + seconds
        if self._timer is None or self._due < self._timer_at:
            if self._timer:
                self._timer.cancel()
            self._set_timer(seconds)

    def _set_timer(self, seconds: float) -> None:
        self._timer_at = monotonic() + seconds
        self._timer = self.loop.call_later(max(seconds, 0.001), self._check_read_timeout)

    def _check_read_timeout(self) -> None:
        """Reject the request if the read timeout has passed. One timer serves all requests of the
        connection: a timer for each would cost more."""
        self._timer = None
        if self._due is None:
            return
        remaining = self._due - monotonic()
        if remaining > 0:
            self._set_timer(remaining)
        else:
            # An event loop that is late reads what has arrived before it runs its timers.
            self._time_out()

    def _time_out(self) -> None:
        if not self._in_message:
            self._close()  # no request arrived
        elif self._in_body:
            rate = f"{self._rate.bytes_per_second:,g} bytes per second"
            self._reject(REQUEST_TOO_SLOW, f"The body arrived more slowly than {rate}.")
        else:
            self._reject(
                REQUEST_TOO_SLOW,
                f"The header fields took more than {self.config.read_seconds:g} seconds to arrive.",
            )

    def _probe_client(self) -> None:
        """Find out whether the client has disconnected or only half-closed the connection: the FIN
        is the same. The system of a client that is gone responds to any data with a reset.

        A client ignores a 100 Continue that it does not expect (RFC 9110, section 15.2.1). HTTP/1.0
        has no such response: there the client is assumed to be gone.
        """
        cycle = self._running
        if cycle is None or self.transport.is_closing():
            return
        if not cycle.response_started:
            if cycle.scope["http_version"] == "1.0":
                self.transport.abort()
                return
            self.transport.write(_CONTINUE)
        self._probe = self.loop.call_later(PROBE_SECONDS / 4, self._check_for_reset)

    def _check_for_reset(self) -> None:
        if self._was_reset():
            self.transport.abort()
        else:
            self._probe = self.loop.call_later(2 * PROBE_SECONDS, self._probe_client)

    def _was_reset(self) -> bool:
        connection = self.transport.get_extra_info("socket")
        return bool(connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))

    def _start_write_timeout(self) -> None:
        if self._unread is None:
            self._unread = self.loop.call_later(WRITE_SECONDS, self.transport.abort)

    def _stop_write_timeout(self) -> None:
        if self._unread:
            self._unread.cancel()
            self._unread = None

    def _close(self) -> None:
        """Close the connection when the client has read its response, or the write timeout has
        passed."""
        self.transport.close()
        self._start_write_timeout()

    def _reject(self, problem_type: ProblemType, detail: str) -> None:
        """Respond with a problem instead of the app's response, and close the connection."""
        self._due = self._left_when_paused = None
        if self._in_body or self._in_progress:
            if self.cycle.response_started:
                self._close()  # the app has responded without reading all
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
        self.config.start_queue.discard(self)
        if self._running and self._task and not self._running.response_complete:
            self._running.disconnected = True
            self._running.scope["hung_up"] = True  # type: ignore[typeddict-unknown-key]
            self._task.cancel()


class _Flow(FlowControl):
    """uvicorn's flow control, which notifies the protocol when reading is paused and resumed."""

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
