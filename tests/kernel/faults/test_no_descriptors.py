"""A service that has no file descriptor left says so, and goes on when it has some again."""

import asyncio
import resource

from tests.kernel.faults.keep_alive_client import KeepAliveClient
from tests.kernel.faults.postgresql_service import assert_unavailable, service_on
from tests.kernel.faults.service_log import assert_no_traceback, events_of
from tests.kernel.integration.service import PRODUCTS
from tests.kernel.postgresql_databases import end_all_connections


async def test_it_is_a_503_and_a_line_in_the_log(postgresql_url: str) -> None:
    async with (
        service_on(postgresql_url, database_pool_size="1") as service,
        KeepAliveClient(service.port) as client,
    ):
        assert (await client.request("GET", PRODUCTS)).status == 200
        _, most = resource.prlimit(service.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(service.pid, resource.RLIMIT_NOFILE, (4, most))
        await asyncio.to_thread(end_all_connections, postgresql_url)
        assert_unavailable(await client.request("GET", PRODUCTS))
        assert_unavailable(await client.request("POST", PRODUCTS, {"name": "lamp"}))

        resource.prlimit(service.pid, resource.RLIMIT_NOFILE, (most, most))
        async with asyncio.timeout(10):
            while (await client.request("POST", PRODUCTS, {"name": "lamp"})).status != 201:
                await asyncio.sleep(0.05)

    reasons = [str(line["reason"]) for line in events_of(service, "requests failed")]
    assert any("no file descriptor is left" in reason for reason in reasons)
    assert_no_traceback(service)
