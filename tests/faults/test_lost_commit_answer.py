"""The database makes a change, and its answer is lost on the wire: the client sends the request
again, with its `Idempotency-Key`, and the change is made once.

Guards that the receipt is committed with the change. Taken out (a receipt in a transaction of its
own, after the change), the second request makes the change a second time, or is refused.
"""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial

import httpx
import pytest
from sqlalchemy import make_url

from adapters.sql.storage import SqlStorage
from application.errors import OutcomeUnknown
from application.example_item_service import ExampleItemService
from application.idempotency import Idempotency
from application.receipts import ReceiptFor
from domain.example_item import ExampleItem
from tests.counting_ids import CountingIds
from tests.database_settings import engine_for
from tests.fixed_clock import FixedClock
from tests.integration.problem_document import problem_of
from tests.integration.service import FROM_ANYWHERE, ITEMS, create
from tests.processes.service_process import ServiceProcess
from tests.processes.tcp_proxy import TcpProxy


@asynccontextmanager
async def through_a_proxy(url: str) -> AsyncIterator[tuple[TcpProxy, str]]:
    """Lend a proxy in front of the database, and the address of the database through it."""
    server = make_url(url)
    async with TcpProxy(server.host or "localhost", server.port or 5432) as proxy:
        through = server.set(host=proxy.host, port=proxy.port)
        yield proxy, through.render_as_string(hide_password=False)


async def test_the_second_request_has_the_answer_that_the_first_should_have_had(
    postgresql_url: str,
) -> None:
    async with (
        through_a_proxy(postgresql_url) as (proxy, url),
        ServiceProcess({**FROM_ANYWHERE, "APP_DATABASE_URL": url}) as service,
        httpx.AsyncClient(base_url=service.base_url, trust_env=False) as client,
    ):
        for method, versions in (("POST", [1, 1]), ("PUT", [2]), ("PATCH", [2]), ("DELETE", [])):
            item = await create(client)
            key = str(uuid.uuid4())
            lost = proxy.drop_next_answer(partial(is_write_of, key))

            unanswered = await change(client, method, item["id"], key)
            answer = await change(client, method, item["id"], key)

            assert lost.is_set()
            assert "Look whether it was made" in problem_of(unanswered, 503)["detail"]
            assert answer.is_success
            assert answer.headers["Idempotency-Replayed"] == "true"
            items = (await client.get(ITEMS)).json()
            assert [each["version"] for each in items] == versions
            if method != "DELETE":
                assert answer.json() == items[-1]
            for each in items:
                await client.delete(f"{ITEMS}/{each['id']}")


async def change(client: httpx.AsyncClient, method: str, item_id: str, key: str) -> httpx.Response:
    return await client.request(
        method,
        ITEMS if method == "POST" else f"{ITEMS}/{item_id}",
        json=None if method == "DELETE" else {"name": "desk"},
        headers={"Idempotency-Key": key},
    )


def is_write_of(key: str, message: bytes) -> bool:
    """Tell whether a client's message binds the key to a statement. The first one that does
    writes it, because nobody looks for a receipt before."""
    return message[:1] == b"B" and key.encode() in message


async def test_the_same_holds_for_a_transaction_of_several_statements(postgresql_url: str) -> None:
    async with through_a_proxy(postgresql_url) as (proxy, url):
        storage = SqlStorage(engine_for(url))
        service = ExampleItemService(storage.units_of_work, FixedClock(), CountingIds())
        idempotency = Idempotency(storage.units_of_work, FixedClock(), timedelta(hours=1))
        item = await service.create("lamp", None)

        async def rename_and_look(receipt: ReceiptFor[ExampleItem]) -> None:
            async with storage.units_of_work.for_writing() as unit:
                known = await unit.example_items.get(item.id)
                assert known
                changed = known.changed(FixedClock().now(), name=f"{known.name}, renamed")
                unit.example_items.update(changed)
                assert await unit.example_items.get(item.id) == changed
                unit.receipts.add(receipt(changed))
                await unit.commit()

        async def send() -> tuple[bytes, bool]:
            return await idempotency.once(
                "key", b"print", rename_and_look, lambda it: it.name.encode()
            )

        lost = proxy.drop_commit_answer()
        with pytest.raises(OutcomeUnknown):
            await send()
        answer = await send()

        assert lost.is_set()
        assert answer == (b"lamp, renamed", True)
        assert (await service.get(item.id)).version == 2
        await storage.close()
