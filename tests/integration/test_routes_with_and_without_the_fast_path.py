"""Whatever a route is made with, the fast path changes nothing but the time it takes."""

import random
from typing import Any

import httpx
import pytest
from starlette.requests import Request

from entrypoints.http.fast_path import _FastRoute
from tests.integration.random_routes import RandomApp, random_requests

REQUESTS = 40
pytestmark = pytest.mark.filterwarnings("ignore:Duplicate Operation ID")


async def outcomes(seed: int, *, fast_path: bool, log_lines: list[Any]) -> list[Any]:
    """Return response, side effects and log lines of each request, and the OpenAPI document."""
    tried = RandomApp(seed, fast_path=fast_path)
    transport = httpx.ASGITransport(tried.app, raise_app_exceptions=False)
    found: list[Any] = [tried.app.openapi()]
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        for method, address, headers, body in random_requests(tried.app, seed, REQUESTS):
            log_lines.clear()
            tried.events.clear()
            response = await client.request(method, address, headers=headers, content=body)
            lines = [
                {name: value for name, value in line.items() if name != "duration_ms"}
                for line in log_lines
            ]
            found.append(
                {
                    "request": (method, address[:200], headers, body[:100]),
                    "status": response.status_code,
                    "headers": response.headers.multi_items(),
                    "body": response.content,
                    "events": list(tried.events),
                    "log": [{**line, "exc_info": "exc_info" in line} for line in lines],
                }
            )
    return found


async def compare(seed: int, log_lines: list[Any]) -> None:
    with_it = await outcomes(seed, fast_path=True, log_lines=log_lines)
    without = await outcomes(seed, fast_path=False, log_lines=log_lines)
    for ours, theirs in zip(with_it, without, strict=True):
        assert ours == theirs


@pytest.mark.parametrize("seed", range(12))
async def test_the_fast_path_changes_nothing(seed: int, log_lines: list[Any]) -> None:
    await compare(seed, log_lines)


@pytest.mark.slow
async def test_the_fast_path_changes_nothing_on_other_routes(log_lines: list[Any]) -> None:
    for seed in random.Random().sample(range(1_000, 1_000_000), 60):
        print(f"seed {seed}")
        await compare(seed, log_lines)


async def test_many_of_the_requests_take_it(
    log_lines: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or the tests above would compare FastAPI with itself."""
    taken = 0
    call = _FastRoute.call

    async def note(self: _FastRoute, request: Request, arguments: dict[str, Any]) -> Any:
        nonlocal taken
        taken += 1
        return await call(self, request, arguments)

    monkeypatch.setattr(_FastRoute, "call", note)
    for seed in (0, 4, 8, 12):
        await outcomes(seed, fast_path=True, log_lines=log_lines)

    assert taken > REQUESTS / 4
