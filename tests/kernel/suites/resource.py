"""What every resource does over HTTP."""

from collections.abc import Mapping
from typing import Any

import httpx
import pytest


class ResourceSuite:
    """Tests of the routes of a resource. A subclass names its path, and bodies to send:

    class TestBooks(ResourceSuite):
        path = "/api/v1/books"
        body = {"title": "Emma"}
        patch = {"title": "Persuasion"}
        wrong = {"title": ""}
    """

    path: str
    body: Mapping[str, Any]
    """What creates one, and replaces one."""
    patch: Mapping[str, Any]
    wrong: Mapping[str, Any]
    """What breaks a rule of its only field."""

    async def created(self, client: httpx.AsyncClient) -> httpx.Response:
        response = await client.post(self.path, json=dict(self.body))
        assert response.status_code == 201, response.text
        return response

    async def test_a_created_one_is_at_its_location(self, async_client: httpx.AsyncClient) -> None:
        created = await self.created(async_client)

        found = await async_client.get(created.headers["Location"])

        assert found.status_code == 200
        assert found.json() == created.json()
        assert created.json().items() >= self.body.items()
        assert found.headers["ETag"] == created.headers["ETag"] == '"1"'

    async def test_a_known_version_is_not_sent_again(self, async_client: httpx.AsyncClient) -> None:
        address = (await self.created(async_client)).headers["Location"]

        found = await async_client.get(address, headers={"If-None-Match": '"1"'})

        assert (found.status_code, found.content) == (304, b"")

    async def test_a_list_has_links_to_its_pages(self, async_client: httpx.AsyncClient) -> None:
        created = [(await self.created(async_client)).json() for _ in range(3)]

        first = await async_client.get(self.path, params={"limit": 2})
        last = await async_client.get(first.links["next"]["url"])

        assert [*first.json(), *last.json()] == created
        assert "Link" not in last.headers

    @pytest.mark.parametrize("method", ["PUT", "PATCH"])
    async def test_a_change_makes_the_next_version(
        self, async_client: httpx.AsyncClient, method: str
    ) -> None:
        address = (await self.created(async_client)).headers["Location"]
        body = dict(self.body if method == "PUT" else self.patch)

        changed = await async_client.request(method, address, json=body)

        assert (changed.status_code, changed.headers["ETag"]) == (200, '"2"')
        assert changed.json().items() >= body.items()
        assert (await async_client.get(address)).json() == changed.json()

    @pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
    async def test_a_stale_version_is_rejected(
        self, async_client: httpx.AsyncClient, method: str
    ) -> None:
        created = await self.created(async_client)
        address, body = created.headers["Location"], dict(self.body)

        rejected = await async_client.request(
            method,
            address,
            json=None if method == "DELETE" else body,
            headers={"If-Match": '"2"'},
        )

        assert (rejected.status_code, rejected.json()["type"]) == (412, "urn:problem:stale-version")
        assert (await async_client.get(address)).json() == created.json()

    async def test_a_deleted_one_is_not_found(self, async_client: httpx.AsyncClient) -> None:
        address = (await self.created(async_client)).headers["Location"]

        assert (await async_client.delete(address)).status_code == 204

        for method in ("GET", "DELETE"):
            missing = await async_client.request(method, address)
            assert (missing.status_code, missing.json()["type"]) == (404, "urn:problem:not-found")

    async def test_a_retry_with_the_same_key_creates_nothing(
        self, async_client: httpx.AsyncClient
    ) -> None:
        key = {"Idempotency-Key": "one"}
        first, second = [
            await async_client.post(self.path, json=dict(self.body), headers=key) for _ in range(2)
        ]

        assert (second.status_code, second.content) == (201, first.content)
        assert second.headers["Idempotency-Replayed"] == "true"
        assert len((await async_client.get(self.path)).json()) == 1

    async def test_a_broken_rule_is_named(self, async_client: httpx.AsyncClient) -> None:
        rejected = await async_client.post(self.path, json={**self.body, **self.wrong})

        assert rejected.status_code == 422
        pointers = {error["pointer"] for error in rejected.json()["errors"]}
        assert pointers == {f"#/{name}" for name in self.wrong}

    async def test_an_unknown_field_is_rejected(self, async_client: httpx.AsyncClient) -> None:
        rejected = await async_client.post(self.path, json={**self.body, "no_such_field": 1})

        assert rejected.status_code == 422
        assert rejected.json()["errors"][0]["pointer"] == "#/no_such_field"
