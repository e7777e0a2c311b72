"""The database makes a change, and its response is lost on the wire: the request has an
`Idempotency-Key`, is carried out once more, and the change is made once.

Guards that the idempotency record is committed with the change. With the record in a separate
transaction after the change, the second attempt makes the change a second time or is rejected.
Without the service's own second attempt (`application/kernel/idempotency.py`), the client has to
retry.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial

import httpx
from sqlalchemy import make_url

from application.kernel.idempotency import Idempotency
from entrypoints.http.kernel.problems.problem_types import OUTCOME_UNKNOWN
from tests.kernel.counting_ids import CountingIds
from tests.kernel.database_settings import engine_for
from tests.kernel.fixed_clock import FixedClock
from tests.kernel.integration.problem_document import problem_of
from tests.kernel.integration.service import PRODUCTS, create
from tests.kernel.processes.service_process import ServiceProcess
from tests.kernel.processes.tcp_proxy import TcpProxy
from tests.kernel.warehouse.application import ProductService
from tests.kernel.warehouse.domain import Product
from tests.kernel.warehouse.storages import SqlStorage


@asynccontextmanager
async def through_a_proxy(url: str) -> AsyncIterator[tuple[TcpProxy, str]]:
    """Yield a proxy in front of the database, and the address of the database through it."""
    server = make_url(url)
    async with TcpProxy(server.host or "localhost", server.port or 5432) as proxy:
        through = server.set(host=proxy.host, port=proxy.port)
        yield proxy, through.render_as_string(hide_password=False)


@asynccontextmanager
async def service_through_a_proxy(url: str) -> AsyncIterator[tuple[TcpProxy, httpx.AsyncClient]]:
    """Run the service on a single connection through a proxy; yield the proxy and a client."""
    async with (
        through_a_proxy(url) as (proxy, through),
        ServiceProcess({"APP_DATABASE_URL": through, "APP_DATABASE_POOL_SIZE": "1"}) as service,
        httpx.AsyncClient(base_url=service.base_url, trust_env=False) as client,
    ):
        yield proxy, client


# Each kind of change, and the versions of all items after it.
CHANGES = {"POST": [1, 1], "PUT": [2], "PATCH": [2], "DELETE": []}


async def test_the_client_does_not_notice(postgresql_url: str) -> None:
    async with service_through_a_proxy(postgresql_url) as (proxy, client):
        for method in CHANGES:
            item = await create(client)
            lost = proxy.drop_next_response(partial(is_write_of, f"key of {method}"))

            response = await change(client, method, item["id"])

            assert lost.is_set()
            await check_that_it_is_made_once(client, method, response)


async def test_the_second_request_gets_the_response_that_the_first_did_not_get(
    postgresql_url: str,
) -> None:
    async with service_through_a_proxy(postgresql_url) as (proxy, client):
        for method in CHANGES:
            item = await create(client)
            lost = proxy.drop_next_response(partial(is_write_of, f"key of {method}"))
            proxy.refuse()  # the connection that is there is the last one

            no_response = await change(client, method, item["id"])
            await proxy.accept()
            response = await change(client, method, item["id"])

            assert lost.is_set()
            problem_of(no_response, OUTCOME_UNKNOWN)
            assert response.headers["Idempotency-Replayed"] == "true"
            await check_that_it_is_made_once(client, method, response)


async def check_that_it_is_made_once(
    client: httpx.AsyncClient, method: str, response: httpx.Response
) -> None:
    """Check it by all items, and remove them."""
    assert response.is_success, response.text
    items = (await client.get(PRODUCTS)).json()
    assert [each["version"] for each in items] == CHANGES[method]
    if method != "DELETE":
        assert response.json() == items[-1]
    for each in items:
        await client.delete(f"{PRODUCTS}/{each['id']}")


async def change(client: httpx.AsyncClient, method: str, item_id: str) -> httpx.Response:
    return await client.request(
        method,
        PRODUCTS if method == "POST" else f"{PRODUCTS}/{item_id}",
        json=None if method == "DELETE" else {"name": "desk"},
        headers={"Idempotency-Key": f'"key of {method}"'},
    )


def is_write_of(key: str, message: bytes) -> bool:
    """Return whether a client's message binds the key to a statement. The first one that does
    writes it, because no record is looked up before."""
    return message[:1] == b"B" and key.encode() in message


async def test_the_same_holds_for_a_transaction_of_several_statements(postgresql_url: str) -> None:
    async with through_a_proxy(postgresql_url) as (proxy, url):
        storage = SqlStorage(engine_for(url))
        service = ProductService(storage.units_of_work, FixedClock(), CountingIds())
        idempotency = Idempotency(storage.units_of_work, FixedClock(), timedelta(hours=1))
        item = await service.create("lamp", None)

        async def rename_and_look() -> Product:
            async with storage.units_of_work.for_writing() as unit:
                known = await unit.products.get(item.id)
                assert known
                changed = known.changed(FixedClock().now(), name=f"{known.name}, renamed")
                unit.products.update(changed)
                assert await unit.products.get(item.id) == changed
                return await unit.commit(changed)

        async def send() -> tuple[bytes, bool]:
            return await idempotency.once(
                "key", b"print", rename_and_look, lambda it: it.name.encode()
            )

        lost = proxy.drop_commit_response()
        response = await send()

        assert lost.is_set()
        assert response == (b"lamp, renamed", True)
        assert await send() == response
        assert (await service.get(item.id)).version == 2
        await storage.close()
