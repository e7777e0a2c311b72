"""PATCH on one item: a JSON merge patch (RFC 7396)."""

from typing import Any

import httpx
import pytest

from tests.kernel.integration.problem_document import errors_of
from tests.kernel.integration.service import PRODUCTS, create, stored


@pytest.mark.parametrize(
    ("patch", "name", "description"),
    [
        ({"name": " desk "}, "desk", "It shines."),
        ({"description": "It stands."}, "lamp", "It stands."),
        ({"description": ""}, "lamp", ""),
        ({"description": None}, "lamp", None),
        ({"name": "desk", "description": None}, "desk", None),
        ({"name": "desk", "description": "It stands."}, "desk", "It stands."),
        ({}, "lamp", "It shines."),
    ],
)
async def test_only_what_the_patch_names_is_changed(
    client: httpx.AsyncClient, patch: dict[str, Any], name: str, description: str | None
) -> None:
    item = await create(client, "lamp", "It shines.")

    response = await client.patch(f"{PRODUCTS}/{item['id']}", json=patch)

    assert response.status_code == 200
    changed = response.json()
    assert changed == {
        **item,
        "name": name,
        "description": description,
        "version": 2,
        "updated_at": changed["updated_at"],
    }
    assert changed["updated_at"] > item["updated_at"]
    assert response.headers["ETag"] == '"2"'
    assert await stored(client, item["id"]) == changed


async def test_a_name_cannot_be_cleared(client: httpx.AsyncClient) -> None:
    item = await create(client)

    response = await client.patch(f"{PRODUCTS}/{item['id']}", json={"name": None})

    assert errors_of(response) == [("body", "#/name", "string_type")]
    assert await stored(client, item["id"]) == item


async def test_a_rejected_part_changes_nothing(client: httpx.AsyncClient) -> None:
    item = await create(client)

    response = await client.patch(
        f"{PRODUCTS}/{item['id']}", json={"name": "desk", "description": 1}
    )

    assert response.status_code == 422
    assert await stored(client, item["id"]) == item
