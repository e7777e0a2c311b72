"""A change that is sent again with its `Idempotency-Key` is made once."""

import asyncio
import re
from datetime import timedelta

import httpx
import pytest

from tests.kernel.fixed_clock import FixedClock
from tests.kernel.integration.problem_document import errors_of, problem_of
from tests.kernel.integration.service import (
    JSON,
    PRODUCTS,
    client_of,
    create,
    in_memory_only,
    settings_for,
    stored,
)
from tests.kernel.warehouse.app import create_app

KEY = {"Idempotency-Key": "8e03978e-40d5-43dd-bc93-6e83d7d8a8b5"}
REUSED = [("header", "#/Idempotency-Key", "key_reused")]
NOT_THE_SAME_TWICE = {"x-request-id", "idempotency-replayed"}

every_method = pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])


async def change(
    client: httpx.AsyncClient, method: str, item_id: str, name: str = "desk", **headers: str
) -> httpx.Response:
    """Send the change, with the key, to the item, or to the collection if it makes an item."""
    return await client.request(
        method,
        PRODUCTS if method == "POST" else f"{PRODUCTS}/{item_id}",
        json=None if method == "DELETE" else {"name": name},
        headers={**KEY, **headers},
    )


async def count(client: httpx.AsyncClient) -> int:
    return len((await client.get(PRODUCTS)).json())


def is_replayed(response: httpx.Response) -> bool:
    return "true" in response.headers.get_list("Idempotency-Replayed")


async def is_described(client: httpx.AsyncClient, *keys: str) -> bool:
    """Return whether the OpenAPI document allows the keys."""
    document = (await client.get("/openapi.json")).json()
    (parameter,) = document["paths"][f"{PRODUCTS}/"]["post"]["parameters"]
    return all(re.search(parameter["schema"]["pattern"], key.strip()) for key in keys)


@every_method
async def test_the_second_response_is_the_first_byte_for_byte(
    client: httpx.AsyncClient, method: str
) -> None:
    item = await create(client)
    plain = await client.request(
        method,
        PRODUCTS if method == "POST" else f"{PRODUCTS}/{(await create(client))['id']}",
        json=None if method == "DELETE" else {"name": "desk"},
    )

    first = await change(client, method, item["id"])
    after_first = (await client.get(PRODUCTS)).json()
    again = await change(client, method, item["id"])

    assert first.is_success
    assert (is_replayed(first), is_replayed(again)) == (False, True)
    assert (again.status_code, again.content) == (first.status_code, first.content)
    heads = [
        [field for field in response.headers.raw if field[0].decode() not in NOT_THE_SAME_TWICE]
        for response in (first, again)
    ]
    assert heads[0] == heads[1]
    # A request with a key gets the same response as one without.
    assert first.status_code == plain.status_code
    assert [name for name, _ in first.headers.raw] == [name for name, _ in plain.headers.raw]
    assert (await client.get(PRODUCTS)).json() == after_first


@every_method
async def test_another_body_path_or_condition_with_the_same_key_is_rejected(
    client: httpx.AsyncClient, method: str
) -> None:
    item, other = await create(client), await create(client)
    await change(client, method, item["id"])
    before = (await client.get(PRODUCTS)).json()

    others = [await change(client, method, item["id"], **{"If-Match": '"1"'})]
    if method != "POST":
        others.append(await change(client, method, other["id"]))
    if method != "DELETE":
        others.append(await change(client, method, item["id"], name="chair"))

    for response in others:
        assert errors_of(response) == REUSED
    assert (await client.get(PRODUCTS)).json() == before


@every_method
async def test_another_query_with_the_same_key_is_rejected(
    client: httpx.AsyncClient, method: str
) -> None:
    item = await create(client)
    path = PRODUCTS if method == "POST" else f"{PRODUCTS}/{item['id']}"
    body = None if method == "DELETE" else {"name": "desk"}
    responses = [
        await client.request(method, path, params=query, json=body, headers=KEY)
        for query in ({"note": "a"}, {"note": "a"}, {"note": "b"}, {})
    ]

    assert [is_replayed(response) for response in responses[:2]] == [False, True]
    assert [errors_of(response) for response in responses[2:]] == [REUSED, REUSED]


async def test_another_method_with_the_same_key_is_rejected(client: httpx.AsyncClient) -> None:
    item = await create(client)
    await change(client, "PUT", item["id"])

    assert errors_of(await change(client, "PATCH", item["id"])) == REUSED
    assert errors_of(await change(client, "DELETE", item["id"])) == REUSED
    assert (await stored(client, item["id"]))["version"] == 2


async def test_a_condition_that_was_true_the_first_time_is_not_checked_again(
    client: httpx.AsyncClient,
) -> None:
    item = await create(client)

    first = await change(client, "PUT", item["id"], **{"If-Match": '"1"'})
    await client.put(f"{PRODUCTS}/{item['id']}", json={"name": "by someone else"})
    again = await change(client, "PUT", item["id"], **{"If-Match": '"1"'})

    assert is_replayed(again)
    assert again.headers["ETag"] == first.headers["ETag"] == '"2"'
    assert (await stored(client, item["id"]))["name"] == "by someone else"


async def test_a_failed_request_may_be_retried_with_its_key(
    client: httpx.AsyncClient,
) -> None:
    item = await create(client)
    condition = {"If-Match": '"2"'}
    early = await change(client, "PUT", item["id"], **condition)
    problem_of(early, 412)
    invalid = await client.post(PRODUCTS, json={"name": ""}, headers=KEY)
    problem_of(invalid, 422)

    await client.put(f"{PRODUCTS}/{item['id']}", json={"name": "meanwhile"})
    again = await change(client, "PUT", item["id"], **condition)

    assert again.status_code == 200
    assert not is_replayed(again)


async def test_of_many_concurrent_requests_with_one_key_one_is_made(
    client: httpx.AsyncClient,
) -> None:
    responses = await asyncio.gather(*(change(client, "POST", "") for _ in range(20)))

    made = [response for response in responses if response.status_code == 201]
    for response in responses:
        if response not in made:
            assert "in progress" in problem_of(response, 409)["detail"]
    assert len([response for response in made if not is_replayed(response)]) == 1
    assert len({response.content for response in made}) == 1
    assert is_replayed(await change(client, "POST", ""))
    assert await count(client) == 1


@pytest.fixture
def shared_url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(request.param))


@pytest.mark.parametrize("shared_url", ["sqlite_file_url", "postgresql_url"], indirect=True)
@every_method
async def test_of_many_concurrent_requests_to_two_services_one_is_made(
    shared_url: str, method: str
) -> None:
    """Guards the unique key of the records: neither service knows of the other's requests."""
    apps = [create_app(settings_for(shared_url)) for _ in range(2)]
    async with client_of(apps[0]) as one, client_of(apps[1]) as other:
        for number in range(10):
            item = await create(one)
            before = await count(one)
            key = {"Idempotency-Key": f"key-{number}"}
            responses = await asyncio.gather(
                *(change(each, method, item["id"], **key) for each in (one, other))
            )
            assert [response.is_success for response in responses] == [True, True]
            assert sorted(map(is_replayed, responses)) == [False, True]
            assert responses[0].content == responses[1].content
            assert await count(one) - before == {"POST": 1, "DELETE": -1}.get(method, 0)
            if method in {"PUT", "PATCH"}:
                assert (await stored(one, item["id"]))["version"] == 2


async def test_a_key_outlives_the_service(sqlite_file_url: str) -> None:
    for expected in (False, True):
        async with client_of(create_app(settings_for(sqlite_file_url))) as client:
            assert is_replayed(await change(client, "POST", "")) is expected


async def test_a_key_is_free_again_after_its_time(storage_url: str) -> None:
    clock = FixedClock()
    app = create_app(settings_for(storage_url, idempotency_key_hours=2), clock=clock)
    async with client_of(app) as client:
        await change(client, "POST", "")
        clock.time += timedelta(hours=2, microseconds=-1)
        assert is_replayed(await change(client, "POST", ""))
        clock.time += timedelta(microseconds=1)

        response = await change(client, "POST", "", name="another")

        assert response.status_code == 201
        assert not is_replayed(response)
        assert await count(client) == 2


@in_memory_only
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("key", '"key"'),
        ("key", " key\t"),
        ("a/b+c=,;:(){}", '"a/b+c=,;:(){}"'),
        ("back\\slash", '"back\\\\slash"'),
        ("k" * 255, f'"{"k" * 255}"'),
        ('"a key"', '"a key" '),
    ],
)
async def test_a_key_is_the_same_however_it_is_written(
    client: httpx.AsyncClient, one: str, other: str
) -> None:
    responses = [
        await client.post(PRODUCTS, json={"name": "lamp"}, headers={"Idempotency-Key": key})
        for key in (one, other)
    ]

    assert [response.status_code for response in responses] == [201, 201]
    assert is_replayed(responses[1])
    assert await is_described(client, one, other)


@in_memory_only
@pytest.mark.parametrize(
    "key",
    [
        "",
        '""',
        " ",
        "two keys",
        '"',
        '"open',
        'in"side',
        '"in"side"',
        '"a\\b"',
        '"key";parameter=1',
        "k" * 256,
        f'"{"k" * 256}"',
        "sch\u00f6n",
        "tab\tbed",
        "\x7f",
    ],
)
async def test_a_malformed_key_is_rejected(client: httpx.AsyncClient, key: str) -> None:
    item = await create(client)
    headers = httpx.Headers({b"Idempotency-Key": key.encode("latin-1")})
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        response = await client.request(
            method,
            PRODUCTS if method == "POST" else f"{PRODUCTS}/{item['id']}",
            json=None if method == "DELETE" else {"name": "desk"},
            headers=headers,
        )
        assert "Idempotency-Key" in problem_of(response, 400)["detail"]
    assert (await client.get(PRODUCTS)).json() == [item]
    assert not await is_described(client, key)


@in_memory_only
async def test_two_keys_are_rejected(client: httpx.AsyncClient) -> None:
    headers = [("Idempotency-Key", "one"), ("Idempotency-Key", "two"), *JSON.items()]

    problem_of(await client.post(PRODUCTS, content=b'{"name": "lamp"}', headers=headers), 400)


@in_memory_only
async def test_reading_knows_no_keys(client: httpx.AsyncClient) -> None:
    item = await create(client)
    for _ in range(2):
        response = await client.get(
            f"{PRODUCTS}/{item['id']}", headers={"Idempotency-Key": "two keys"}
        )
        assert response.status_code == 200
        assert not is_replayed(response)
