"""What the fault tests ask of a service that runs as a process of its own."""

import asyncio
import time

import httpx
import pytest

from tests.kernel.integration.service import PRODUCTS
from tests.kernel.processes.service_process import ServiceProcess

on_both_databases = pytest.mark.parametrize(
    "fault_url", ["sqlite_file_url", "postgresql_url"], indirect=True
)


def service_on(url: str, **settings: str) -> ServiceProcess:
    return ServiceProcess({"APP_DATABASE_URL": url, **settings})


def client_of(service: ServiceProcess) -> httpx.AsyncClient:
    """Return a client with one connection, which it keeps for as long as the service does."""
    return httpx.AsyncClient(
        base_url=service.base_url,
        trust_env=False,
        timeout=30,
        limits=httpx.Limits(max_connections=1),
    )


async def create_until(
    service: ServiceProcess, expected: set[int], *, seconds: float, clients: int = 5
) -> list[httpx.Response]:
    """Create items on some connections for a while, and return the responses, each of which must
    have an expected status. Each connection has one at least, however busy the machine is."""
    end = time.monotonic() + seconds

    async def create_some(number: int) -> list[httpx.Response]:
        responses: list[httpx.Response] = []
        async with client_of(service) as client:
            while not responses or time.monotonic() < end:
                body = {"name": f"of client {number}", "description": "It takes some room." * 20}
                responses.append(await client.post(PRODUCTS, json=body))
                assert responses[-1].status_code in expected, responses[-1].text
        return responses

    return [
        response
        for responses in await asyncio.gather(*(create_some(number) for number in range(clients)))
        for response in responses
    ]


async def all_items(service: ServiceProcess) -> list[dict[str, str]]:
    """Return every item that the service has, page by page."""
    items: list[dict[str, str]] = []
    page: str | None = f"{PRODUCTS}/?limit=200"
    async with client_of(service) as client:
        while page:
            response = (await client.get(page)).raise_for_status()
            items += response.json()
            page = response.links.get("next", {}).get("url")
    return items
