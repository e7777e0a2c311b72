"""An idempotency key belongs to the client that chose it, by the name of its API key."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from entrypoints.kernel import api_keys
from entrypoints.kernel.api_keys import new_key
from tests.kernel.integration.service import PRODUCTS, client_of, settings_for
from tests.kernel.warehouse.app import create_app

ALICE, ALICE_LINE = new_key("alice", "write")
BOB, BOB_LINE = new_key("bob", "write")
NEXT_OF_ALICE, NEXT_LINE_OF_ALICE = new_key("alice", "write")


@pytest.fixture
def key_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(api_keys, "CHECK_FILE_SECONDS", 0)
    monkeypatch.setattr(api_keys, "SETTLE_SECONDS", 0)
    path = tmp_path / "keys"
    path.write_text(f"{ALICE_LINE}\n{BOB_LINE}\n")
    return path


@pytest.fixture
async def client(storage_url: str, key_file: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(create_app(settings_for(storage_url, api_keys=key_file))) as client:
        yield client


async def create_with(client: httpx.AsyncClient, api_key: str, key: str = "1") -> httpx.Response:
    headers = {"Authorization": f"Bearer {api_key}", "Idempotency-Key": key}
    response = await client.post(PRODUCTS, json={"name": "lamp"}, headers=headers)
    assert response.status_code == 201
    return response


async def test_two_clients_that_choose_one_key_each_make_their_change(
    client: httpx.AsyncClient,
) -> None:
    of_alice, of_bob = await create_with(client, ALICE), await create_with(client, BOB)

    assert "Idempotency-Replayed" not in of_bob.headers
    assert of_alice.json()["id"] != of_bob.json()["id"]
    assert (await create_with(client, ALICE)).content == of_alice.content
    assert (await create_with(client, BOB)).content == of_bob.content


async def test_a_key_stays_the_client_s_when_its_api_key_is_replaced(
    client: httpx.AsyncClient, key_file: Path
) -> None:
    first = await create_with(client, ALICE)
    key_file.write_text(f"# replaced\n{NEXT_LINE_OF_ALICE}\n{BOB_LINE}\n")

    again = await create_with(client, NEXT_OF_ALICE)

    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.content == first.content


@pytest.mark.parametrize("name", ["n" * 200, "ü" * 200])
async def test_a_long_name_and_a_long_key_have_room_together(
    client: httpx.AsyncClient, key_file: Path, name: str
) -> None:
    key, line = new_key(name, "write")
    key_file.write_text(f"{line}\n", encoding="utf-8")

    first, again = [await create_with(client, key, "k" * 255) for _ in range(2)]

    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.content == first.content
