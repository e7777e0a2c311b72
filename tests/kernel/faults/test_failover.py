"""A standby takes over under load, at an address that moves, as a virtual IP does.

Every commit waits for the standby, so that it has all acknowledged changes. Without
`ConnectionQueue.replace_all`, the connections to a server that has become read-only stay open, and
their writes fail forever.
"""

import asyncio
import time
from collections.abc import Iterator

import pytest

from tests.kernel.faults.keep_alive_client import KeepAliveClient
from tests.kernel.faults.load import Load
from tests.kernel.faults.postgresql_service import migrated_server, needs_postgresql, service_on
from tests.kernel.faults.running import all_items
from tests.kernel.faults.service_log import assert_no_traceback, events_of
from tests.kernel.processes.postgresql_server import PostgresServer
from tests.kernel.processes.tcp_proxy import TcpProxy

pytestmark = [needs_postgresql, pytest.mark.slow]

BACK_WITHIN_SECONDS = 10.0


@pytest.fixture
def servers() -> Iterator[tuple[PostgresServer, PostgresServer]]:
    with migrated_server() as primary, primary.start_standby() as standby:
        yield primary, standby


@pytest.mark.parametrize("primary_ends_as", ["crashed", "read-only"])
async def test_nothing_acknowledged_is_lost(
    servers: tuple[PostgresServer, PostgresServer], primary_ends_as: str
) -> None:
    primary, standby = servers
    async with (
        TcpProxy(primary.host, primary.port) as proxy,
        service_on(primary.url(port=proxy.port)) as service,
    ):
        async with Load(service.port) as load:
            await load.each_creates()
            before = len(load.created)
            failed_at = time.monotonic()
            if primary_ends_as == "crashed":
                await asyncio.to_thread(primary.kill)
                proxy.cut()
            else:
                # Its connections stay, and the proxy passes them on to it.
                await primary.become_read_only()
            await load.is_rejected()  # else the standby may be there before a request needs it
            proxy.switch(standby.host, standby.port)
            await standby.promote()
            promoted_at = time.monotonic()
            await load.each_creates()
            back_at = time.monotonic()
        async with KeepAliveClient(service.port) as client, asyncio.timeout(5):
            while (await client.request("GET", "/health/ready")).status != 200:
                await asyncio.sleep(0.05)
        kept = {item["name"]: item["id"] for item in await all_items(service)}
    figures = {
        "acknowledged": len(load.created),
        "acknowledged before": before,
        "lost": len(load.created.keys() - kept.keys()),
        "503": load.rejections,
        "seconds until promoted": round(promoted_at - failed_at, 2),
        "seconds until all write again": round(back_at - promoted_at, 2),
    }
    print(figures)

    assert load.created.items() <= kept.items()
    assert not load.not_created & kept.keys()
    assert back_at - promoted_at < BACK_WITHIN_SECONDS
    assert events_of(service, "requests failed")
    assert_no_traceback(service)
