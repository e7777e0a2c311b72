"""The service behind a real nginx: below a path prefix, which it strips or not, and compressed."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from entrypoints.http.kernel.problems.problem_types import NO_SUCH_PATH, STALE_VERSION
from tests.kernel.integration.problem_document import problem_of
from tests.kernel.integration.service import PRODUCTS
from tests.kernel.processes.nginx import needs_nginx, nginx
from tests.kernel.processes.service_process import ServiceProcess

pytestmark = needs_nginx
PREFIX = "/shop"
COMPRESSED = "gzip on; gzip_proxied any; gzip_min_length 1; gzip_types application/json;"
LINK = re.compile(r"""(?:src|href|spec-url)=["']([^"']+)["']|\burl: ["']([^"']+)["']""")


@asynccontextmanager
async def client_of_nginx(service: ServiceProcess, end: str) -> AsyncIterator[httpx.AsyncClient]:
    """Yield a client of an nginx whose `proxy_pass` ends with this: a slash strips the prefix."""
    server = f"location {PREFIX}/ {{ proxy_pass {service.base_url}{end}; }}"
    proxy = nginx(server, COMPRESSED)
    base_url = await asyncio.to_thread(proxy.__enter__)
    try:
        async with httpx.AsyncClient(base_url=base_url, trust_env=False) as client:
            yield client
    finally:
        await asyncio.to_thread(proxy.__exit__, None, None, None)


async def test_clients_of_an_nginx_that_compresses_and_has_a_prefix_are_served_right() -> None:
    settings = {"APP_DATABASE_URL": "memory://", "APP_ROOT_PATH": PREFIX}
    async with ServiceProcess(settings) as service:
        for end in ("/", ""):
            async with client_of_nginx(service, end) as client:
                await assert_links_lead_back(client)
                await assert_docs_are_whole(client)
                await assert_problems_name_the_path(client)
                for method in ("PUT", "PATCH", "DELETE"):
                    await assert_guarded_by_a_weak_tag(client, method)


async def assert_links_lead_back(client: httpx.AsyncClient) -> None:
    created = await client.post(PREFIX + PRODUCTS, json={"name": "lamp"})
    assert created.headers["Location"].startswith(PREFIX + PRODUCTS)
    assert (await client.get(created.headers["Location"])).json() == created.json()
    await client.post(PREFIX + PRODUCTS, json={"name": "desk"})
    page = await client.get(PREFIX + PRODUCTS, params={"limit": 1})
    following = page.links["next"]["url"]
    assert following.startswith(PREFIX + PRODUCTS)
    assert (await client.get(following)).status_code == 200
    assert (await client.get(f"{PREFIX}/health/ready")).status_code == 200


async def assert_docs_are_whole(client: httpx.AsyncClient) -> None:
    document = (await client.get(f"{PREFIX}/openapi.json")).json()
    assert document["servers"] == [{"url": PREFIX}]
    assert f"{PRODUCTS}/" in document["paths"]
    for page in ("/docs", "/redoc"):
        response = await client.get(PREFIX + page)
        links = {one or other for one, other in LINK.findall(response.text)}
        assert PREFIX + "/openapi.json" in links
        for link in links:
            assert (await client.get(link)).status_code == 200, link


async def assert_problems_name_the_path(client: httpx.AsyncClient) -> None:
    # `instance` is compared with the path that was asked for.
    problem_of(await client.get(f"{PREFIX}/no%20where"), NO_SUCH_PATH)
    item = f"{PREFIX}{PRODUCTS}/01890a5d-ac96-774b-bcce-b302099a8057"
    problem_of(await client.get(item), 404)
    problem_of(await client.put(f"{PREFIX}{PRODUCTS}"), 405)
    # The server rejects this one, not the app.
    too_large = await client.post(PREFIX + PRODUCTS, content=b"x" * 70_000)
    problem_of(too_large, 413)


async def assert_guarded_by_a_weak_tag(client: httpx.AsyncClient, method: str) -> None:
    created: dict[str, Any] = (await client.post(PREFIX + PRODUCTS, json={"name": "lamp"})).json()
    item = f"{PREFIX}{PRODUCTS}/{created['id']}"
    body = None if method == "DELETE" else {"name": "desk"}
    read = await client.get(item)
    tag = read.headers["ETag"]
    assert (read.headers["Content-Encoding"], tag) == ("gzip", 'W/"1"')
    await client.patch(item, json={"name": "changed"}, headers={"If-Match": tag})

    stale = await client.request(method, item, json=body, headers={"If-Match": tag})
    problem_of(stale, STALE_VERSION)
    tag = (await client.get(item)).headers["ETag"]
    assert tag == 'W/"2"'
    done = await client.request(method, item, json=body, headers={"If-Match": tag})

    assert done.status_code in (200, 204)
