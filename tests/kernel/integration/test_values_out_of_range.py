"""A value that no database can hold is the client's error, on every storage."""

from uuid import UUID

import httpx
import pytest

from entrypoints.http.kernel.resources.cursor import encode_cursor
from tests.kernel.integration.problem_document import problem_of
from tests.kernel.integration.service import PRODUCTS, UNKNOWN_ID

HUGE = ["9" * 19, "9" * 30, "9" * 5_000, "-" + "9" * 30, "1e400", "NaN", "Infinity"]
TEXTS = ["%00", "1%00", "%00" * 100, "%FF", "%ED%A0%80"]
IDS = [*HUGE, *TEXTS, f"{UNKNOWN_ID}%00", "F" * 32, "f" * 33, "0" * 32]
NO_CURSORS = [*HUGE, *TEXTS, "AAAA%00", "_" * 21, "_" * 5_000]


@pytest.mark.parametrize("name", ["limit", "cursor"])
async def test_a_query_out_of_range_is_invalid(client: httpx.AsyncClient, name: str) -> None:
    for value in [*HUGE, *TEXTS] if name == "limit" else NO_CURSORS:
        problem_of(await client.get(f"{PRODUCTS}?{name}={value}"), 422)


async def test_a_cursor_at_the_edge_of_ids_is_valid(client: httpx.AsyncClient) -> None:
    for number in (0, 2**128 - 1):
        cursor = encode_cursor(UUID(int=number))
        assert (await client.get(f"{PRODUCTS}?cursor={cursor}")).json() == []


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
async def test_nothing_is_at_an_id_out_of_range(client: httpx.AsyncClient, method: str) -> None:
    body = {"name": "lamp"} if method in ("PUT", "PATCH") else None
    for value in IDS:
        problem_of(await client.request(method, f"{PRODUCTS}/{value}", json=body), 404)
