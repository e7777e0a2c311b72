"""Requests through nginx over connections that were idle: none fails.

With `APP_KEEP_ALIVE_SECONDS` below the idle timeout of nginx, some POSTs get 502: it
sends on connections that the service closes at that moment, and does not repeat a POST.
"""

import asyncio
import random

import httpx
import pytest

from entrypoints.settings import AppSettings
from tests.kernel.faults.running import service_on
from tests.kernel.integration.service import PRODUCTS
from tests.kernel.processes.nginx import needs_nginx, nginx

PROXIES_CLOSE_AFTER_SECONDS = 60
"""nginx's keepalive_timeout for upstream servers, and AWS load balancers' idle timeout."""
CLIENTS = 30
ROUNDS = 4


def test_the_default_is_longer_than_what_proxies_have() -> None:
    keep_alive = AppSettings(_env_file=None).keep_alive_seconds
    assert keep_alive >= PROXIES_CLOSE_AFTER_SECONDS + 10


@needs_nginx
@pytest.mark.slow
async def test_no_post_fails_on_a_connection_that_was_idle() -> None:
    """Each POST comes when its connection has been idle for about as long as nginx keeps it."""

    async def post_now_and_again(client: httpx.AsyncClient, number: int) -> list[int]:
        chance = random.Random(number)
        statuses = []
        for _ in range(ROUNDS):
            response = await client.post(PRODUCTS, json={"name": f"of client {number}"})
            statuses.append(response.status_code)
            await asyncio.sleep(chance.uniform(0.9, 1.1))
        return statuses

    async with service_on("memory://", APP_KEEP_ALIVE_SECONDS="3") as service:
        server = (
            "location / { proxy_pass http://service; proxy_http_version 1.1; "
            "proxy_set_header Connection ''; }"
        )
        upstream = f"server {service.host}:{service.port}; keepalive 64; keepalive_timeout 1s;"
        with nginx(server, f"upstream service {{ {upstream} }}") as base_url:
            async with httpx.AsyncClient(base_url=base_url, trust_env=False, timeout=30) as client:
                found = await asyncio.gather(
                    *(post_now_and_again(client, number) for number in range(CLIENTS))
                )
    assert {status for statuses in found for status in statuses} == {201}
