"""Changes that meet: the whole use case is retried, a bounded number of times.

Without `retry_on_conflict` (`application/kernel/retry.py`), each serialization failure and each
deadlock is a 503 at once. Without the versions, updates are lost.
"""

import asyncio

import asyncpg
import httpx
import pytest
from sqlalchemy import make_url

from application.kernel.retry import ATTEMPTS
from tests.kernel.database_settings import engine_for
from tests.kernel.faults.running import client_of, on_both_databases, service_on
from tests.kernel.integration.service import PRODUCTS
from tests.kernel.postgresql_databases import run_statement
from tests.kernel.warehouse.storages import migrate_and_create_tables

CLIENTS = 40
# A sequence counts on whatever becomes of the transaction.
FAIL_THE_FIRST = """
CREATE SEQUENCE tries;
CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF nextval('tries') <= {times} THEN RAISE EXCEPTION 'again' USING ERRCODE = '{code}'; END IF;
    RETURN coalesce(NEW, OLD);
END $$;
CREATE TRIGGER fail BEFORE INSERT OR UPDATE OR DELETE ON products
    FOR EACH ROW EXECUTE FUNCTION fail();
"""


@pytest.fixture
def own_url(empty_postgresql_url: str) -> str:
    """A database with the schema of today, with triggers that affect no other test."""

    async def prepare() -> None:
        engine = engine_for(empty_postgresql_url)
        await migrate_and_create_tables(engine)
        await engine.dispose()

    asyncio.run(prepare())
    return empty_postgresql_url


@pytest.mark.parametrize("code", ["40001", "40P01"], ids=["serialization", "deadlock"])
async def test_a_change_that_was_rolled_back_is_retried_and_made(own_url: str, code: str) -> None:
    async with service_on(own_url) as service, client_of(service) as client:
        item = (await client.post(PRODUCTS, json={"name": "lamp"})).json()
        await fail_the_first(own_url, ATTEMPTS - 1, code)
        response = await client.patch(f"{PRODUCTS}/{item['id']}", json={"name": "blue lamp"})
        assert (response.status_code, response.json()["version"]) == (200, 2)
    assert "use case is retried" in service.log
    assert "blue lamp" not in service.log


async def test_each_kind_of_change_is_retried(own_url: str) -> None:
    async with service_on(own_url) as service, client_of(service) as client:
        await fail_the_first(own_url, 1)
        item = (await client.post(PRODUCTS, json={"name": "lamp"})).json()
        address = f"{PRODUCTS}/{item['id']}"
        for method, body in (("PUT", {"name": "a"}), ("PATCH", {"name": "b"}), ("DELETE", None)):
            await run(own_url, "ALTER SEQUENCE tries RESTART")
            response = await client.request(method, address, json=body)
            assert response.is_success, response.text
        assert (await client.get(PRODUCTS)).json() == []


async def test_a_change_that_always_conflicts_is_rejected(own_url: str) -> None:
    async with service_on(own_url) as service, client_of(service) as client:
        await fail_the_first(own_url, 1_000)
        response = await client.post(PRODUCTS, json={"name": "lamp"})
        assert response.status_code == 503
        assert response.headers["Retry-After"] == "1"
        assert await tries(own_url) == ATTEMPTS
        assert (await client.get(PRODUCTS)).json() == []


async def test_changes_of_one_item_all_count_when_transactions_are_serializable(
    own_url: str,
) -> None:
    name = make_url(own_url).database
    await run(own_url, f"ALTER DATABASE {name} SET default_transaction_isolation = 'serializable'")
    async with service_on(own_url) as service:
        statuses = [status for status, _ in await change_at_once(service.base_url)]
    assert set(statuses) <= {200, 409, 412, 503}
    assert 500 not in statuses


@on_both_databases
async def test_no_update_is_lost(fault_url: str) -> None:
    async with service_on(fault_url) as service:
        outcomes = await change_at_once(service.base_url)
        async with client_of(service) as client:
            (item,) = (await client.get(PRODUCTS)).json()

    made = {name for status, name in outcomes if status == 200}
    rejected = {name for status, name in outcomes if status == 412}
    assert len(made) + len(rejected) == CLIENTS
    assert set(item["description"].split()) == made
    assert item["version"] == 1 + len(made)


async def change_at_once(base_url: str) -> list[tuple[int, str]]:
    """Have every client read the item, add its name to it, and write it back; return the
    response's status and the client's name, of each."""
    limits = httpx.Limits(max_connections=CLIENTS)
    async with httpx.AsyncClient(
        base_url=base_url, trust_env=False, timeout=30, limits=limits
    ) as client:
        created = await client.post(PRODUCTS, json={"name": "list", "description": ""})
        address = f"{PRODUCTS}/{created.json()['id']}"

        async def add_name(name: str) -> tuple[int, str]:
            read = await client.get(address)
            names = (read.json()["description"] or "") + f" {name}"
            written = await client.patch(
                address, json={"description": names}, headers={"If-Match": read.headers["ETag"]}
            )
            return written.status_code, name

        return list(await asyncio.gather(*(add_name(f"c{number}") for number in range(CLIENTS))))


async def fail_the_first(url: str, times: int, code: str = "40001") -> None:
    await run(url, FAIL_THE_FIRST.format(times=times, code=code))


async def run(url: str, statement: str) -> None:
    await asyncio.to_thread(run_statement, url, statement)


async def tries(url: str) -> int:
    dsn = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    connection = await asyncpg.connect(dsn)
    try:
        return int(await connection.fetchval("SELECT last_value FROM tries"))
    finally:
        await connection.close()
