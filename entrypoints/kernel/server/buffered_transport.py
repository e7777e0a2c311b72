"""A buffered transport: it sends a response in one piece."""

import asyncio
from collections.abc import Callable

HIGH_WATER_BYTES = 65_536
"""The largest number of bytes that are buffered before they are sent."""
LINGER_SECONDS = 1.0
"""How long a closed connection is still read while its client is sending."""


class BufferedTransport:
    """Buffers what is written and sends it in the next iteration of the event loop.

    uvicorn writes the head and the body of a response separately, and uvloop sends each at once:
    two system calls, two packets, and a client that is woken twice.
    """

    def __init__(
        self,
        transport: asyncio.Transport,
        loop: asyncio.AbstractEventLoop,
        is_receiving: Callable[[], bool],
    ) -> None:
        """`is_receiving` returns whether the client may still be sending a request."""
        self._transport = transport
        self._loop = loop
        self._is_receiving = is_receiving
        self._written: list[bytes] = []
        self._size = 0
        self.is_closing: Callable[[], bool] = transport.is_closing
        self.get_extra_info = transport.get_extra_info
        self.abort = transport.abort
        self.pause_reading = transport.pause_reading
        self.resume_reading = transport.resume_reading
        self.set_protocol = transport.set_protocol

    def write(self, data: bytes) -> None:
        if not self._written:
            self._loop.call_soon(self.flush)
        self._written.append(data)
        self._size += len(data)
        if self._size > HIGH_WATER_BYTES:
            # Backpressure: an app that writes without awaiting would fill the memory within
            # one iteration. The transport pauses the app if the client does not read.
            self.flush()

    def close(self) -> None:
        """Send what was written, and close the connection.

        If the client is still sending, the connection is read for up to `LINGER_SECONDS` more.
        Closing a socket with unread data sends a reset, by which the client could lose the
        response (RFC 9112, section 9.6).
        """
        self.flush()
        if self.is_closing() or not (self._is_receiving() and self._transport.can_write_eof()):
            self._transport.close()
            return
        self.is_closing = lambda: True
        self._transport.write_eof()
        self._transport.resume_reading()
        self._loop.call_later(LINGER_SECONDS, self._transport.close)

    def flush(self) -> None:
        """Send what is buffered."""
        written, self._written, self._size = self._written, [], 0
        if written and not self.is_closing():
            self._transport.writelines(written)
