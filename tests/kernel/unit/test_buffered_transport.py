"""What is written within one iteration of the event loop is sent in one piece."""

import asyncio
from collections.abc import Iterable
from typing import Any

import pytest

from entrypoints.kernel.server import buffered_transport
from entrypoints.kernel.server.buffered_transport import BufferedTransport


class Wire(asyncio.Transport):
    """Records what reaches the network, call by call."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[bytes] = []
        self.closed = asyncio.Event()

    def writelines(self, list_of_data: Iterable[Any]) -> None:
        assert not self.is_closing()
        self.sent.append(b"".join(list_of_data))

    def write_eof(self) -> None:
        self.sent.append(b"<end>")

    def can_write_eof(self) -> bool:
        return True

    def close(self) -> None:
        self.sent.append(b"<close>")
        self.closed.set()

    def abort(self) -> None:
        self.sent.append(b"<abort>")

    def is_closing(self) -> bool:
        return b"<close>" in self.sent or b"<abort>" in self.sent

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None: ...


def buffered(wire: Wire) -> BufferedTransport:
    return BufferedTransport(wire, asyncio.get_running_loop(), lambda: False)


async def test_head_and_body_are_sent_together() -> None:
    wire = Wire()
    transport = buffered(wire)
    for content in (b"head", b"body"):
        transport.write(content)
    assert wire.sent == []
    await asyncio.sleep(0)
    assert wire.sent == [b"headbody"]
    transport.write(b"next")
    await asyncio.sleep(0)
    assert wire.sent == [b"headbody", b"next"]


async def test_written_data_is_sent_before_the_end() -> None:
    wire = Wire()
    transport = buffered(wire)
    transport.write(b"response")
    transport.close()
    await asyncio.sleep(0)
    assert wire.sent == [b"response", b"<close>"]


async def test_a_client_that_still_sends_can_finish(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buffered_transport, "LINGER_SECONDS", 0.01)
    wire = Wire()
    transport = BufferedTransport(wire, asyncio.get_running_loop(), lambda: True)
    transport.write(b"response")
    transport.close()
    assert transport.is_closing()
    transport.write(b"too late")
    assert wire.sent == [b"response", b"<end>"]
    await wire.closed.wait()
    assert wire.sent == [b"response", b"<end>", b"<close>"]


async def test_data_that_is_written_without_a_pause_is_not_accumulated() -> None:
    wire = Wire()
    transport = buffered(wire)
    for _ in range(100):
        transport.write(bytes(10_000))
    unsent = 1_000_000 - sum(map(len, wire.sent))
    assert unsent <= buffered_transport.HIGH_WATER_BYTES


async def test_nothing_is_sent_on_a_connection_that_was_lost_meanwhile() -> None:
    wire = Wire()
    transport = buffered(wire)
    transport.write(b"response")
    transport.abort()
    await asyncio.sleep(0)
    transport.close()
    assert wire.sent == [b"<abort>", b"<close>"]
