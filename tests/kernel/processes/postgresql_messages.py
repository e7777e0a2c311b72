from collections.abc import Iterator

LENGTH = 4
SSL_REQUEST = (80877103).to_bytes(LENGTH)
GSS_REQUEST = (80877104).to_bytes(LENGTH)
READY_FOR_QUERY = b"Z\x00\x00\x00\x05"


class ClientMessages:
    """Cuts what a PostgreSQL client sends, chunk by chunk, into whole messages.

    https://www.postgresql.org/docs/current/protocol-message-formats.html
    """

    def __init__(self) -> None:
        self._rest = bytearray()
        # The first messages of a connection have no letter in front of their length.
        self._letter = 0
        self._is_postgresql = True

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        if not self._is_postgresql:
            return
        self._rest += chunk
        while len(self._rest) >= self._letter + LENGTH:
            length = int.from_bytes(self._rest[self._letter : self._letter + LENGTH])
            if length < LENGTH:  # it counts itself, so this is something else, such as TLS
                self._is_postgresql = False
                return
            length += self._letter
            if len(self._rest) < length:
                return
            message = bytes(self._rest[:length])
            del self._rest[:length]
            if message[LENGTH:] not in {SSL_REQUEST, GSS_REQUEST}:
                self._letter = 1
            yield message


class Response:
    """Follows what the server sends back, to the end of its response."""

    def __init__(self) -> None:
        self._end = b""

    def is_complete(self, chunk: bytes) -> bool:
        # The last message of a response: its head, and one letter for the transaction's state.
        self._end = (self._end + chunk)[-len(READY_FOR_QUERY) - 1 :]
        return self._end.startswith(READY_FOR_QUERY)
