import asyncio
from contextlib import suppress
from pathlib import Path

import pytest

from benchmarks.connection import UnexpectedResponse, content_length
from benchmarks.generator import LoadGenerator, Outcome
from benchmarks.load import Load
from benchmarks.operations import GET, OPERATIONS, POST
from benchmarks.process_clock import cpu_seconds
from benchmarks.running import RunningSubject
from benchmarks.seeding import seed
from benchmarks.subjects import LIMIT, SQLITE, subjects_of
from tests.kernel.processes.guardian import Guardian


@pytest.mark.parametrize("name", ["content-length", "Content-Length"])
def test_finds_the_length_of_an_response(name: str) -> None:
    head = f"HTTP/1.1 200 OK\r\n{name}: 12\r\netag: x\r\n\r\n".encode()
    assert content_length(head, head.index(b"\r\n\r\n") + 2) == 12


def test_rejects_an_response_without_a_length() -> None:
    head = b"HTTP/1.1 200 OK\r\nserver: x\r\n\r\n"
    with pytest.raises(UnexpectedResponse, match="no content-length"):
        content_length(head, len(head) - 4)


def test_several_bursts_are_one_outcome() -> None:
    outcome = Outcome.of([Outcome(0.1, 0.01, [3.0, 1.0]), Outcome(0.2, 0.03, [4.0, 2.0])])
    assert (outcome.seconds, outcome.generator_seconds) == pytest.approx((0.3, 0.04))
    assert outcome.requests == 4
    assert [outcome.quantile(share) for share in (0, 0.5, 0.99)] == [1.0, 3.0, 4.0]


async def test_a_connection_that_was_closed_between_two_bursts_is_opened_again() -> None:
    clients: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        clients.append(writer)
        with suppress(asyncio.IncompleteReadError):
            while await reader.readuntil(b"\r\n\r\n"):
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")

    async with await asyncio.start_server(serve, "127.0.0.1") as server:
        load = Load()
        await load.prepare(server.sockets[0].getsockname()[1], GET, 2, ["an-id"])
        for client in clients:
            client.close()
            await client.wait_closed()
        while any(each.is_open for each in load._connections):
            await asyncio.sleep(0)

        assert len((await load.go(0.01))["latencies"]) >= 2
        assert len(clients) == 4
        for client in clients:
            client.close()
            await client.wait_closed()


@pytest.mark.slow
def test_loads_a_subject_with_every_operation_and_notices_what_is_wrong(tmp_path: Path) -> None:
    subject = next(one for one in subjects_of(SQLITE) if one.name == LIMIT)
    url = f"sqlite+aiosqlite:///{tmp_path / 'loaded.sqlite3'}"
    with (
        Guardian() as guardian,
        RunningSubject(subject, url, tmp_path / "log", guardian) as running,
        LoadGenerator() as generator,
    ):
        seed(running, count=8)
        for operation in OPERATIONS:
            generator.prepare(running.port, operation, 4, running.item_ids)
            before = cpu_seconds(running.pid)
            outcome = generator.go(running.port, 0.1)
            spent = cpu_seconds(running.pid) - before
            assert outcome.requests >= 4
            assert outcome.seconds >= 0.1
            assert 0 < outcome.quantile(0.5) <= outcome.quantile(0.99)
            assert 0 < spent < outcome.seconds * 2

        with pytest.raises(RuntimeError, match="404 Not Found"):
            generator.prepare(running.port, GET, 1, ["00000000-0000-0000-0000-000000000000"])
        generator.prepare(running.port, POST, 1)
        assert generator.go(running.port, 0.01).requests >= 1
