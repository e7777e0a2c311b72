"""Whatever a route is made with, the fast path changes nothing but the time it takes."""

import random
from typing import Any

import httpx
import pytest
from starlette.requests import Request

from entrypoints.http.kernel.fast_path.fast_path import _FastRoute
from tests.kernel.integration.random_routes import RandomApp, random_handshakes, random_requests
from tests.kernel.integration.websocket_handshake import open_websocket

REQUESTS = 40
HANDSHAKES = 5
SEEDS = range(12)
pytestmark = [
    pytest.mark.filterwarnings("ignore:Duplicate Operation ID"),
    # Starlette leaves a file whose part has no end to the garbage collector.
    pytest.mark.filterwarnings("ignore:Unclosed file <tempfile.SpooledTemporaryFile"),
]


async def outcomes(seed: int, *, fast_path: bool, log_lines: list[Any]) -> list[Any]:
    """Return response, side effects and log lines of each request and of each handshake, and the
    OpenAPI document."""
    tried = RandomApp(seed, fast_path=fast_path)
    transport = httpx.ASGITransport(tried.app, raise_app_exceptions=False)
    found: list[Any] = [tried.app.openapi()]

    def noted(*request: Any) -> dict[str, Any]:
        lines = [
            {name: value for name, value in line.items() if name != "duration_ms"}
            for line in log_lines
        ]
        seen = {
            "request": request,
            "events": list(tried.events),
            "log": [{**line, "exc_info": "exc_info" in line} for line in lines],
        }
        log_lines.clear()
        tried.events.clear()
        return seen

    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        for method, address, headers, body in random_requests(tried.app, seed, REQUESTS):
            response = await client.request(method, address, headers=headers, content=body)
            seen = noted(method, address[:200], headers, body[:100])
            whole = (response.status_code, response.headers.multi_items(), response.content)
            found.append((*whole, seen))
    for address, headers in random_handshakes(tried.app, seed, HANDSHAKES):
        try:
            end: Any = (await open_websocket(tried.app, address, headers)).messages
        except Exception as error:
            end = repr(error)
        found.append((end, noted(address[:200], headers)))
    return found


async def compare(seed: int, log_lines: list[Any]) -> None:
    with_it = await outcomes(seed, fast_path=True, log_lines=log_lines)
    without = await outcomes(seed, fast_path=False, log_lines=log_lines)
    for ours, theirs in zip(with_it, without, strict=True):
        assert ours == theirs


@pytest.mark.parametrize("seed", SEEDS)
async def test_the_fast_path_changes_nothing(seed: int, log_lines: list[Any]) -> None:
    await compare(seed, log_lines)


@pytest.mark.slow
async def test_the_fast_path_changes_nothing_on_other_routes(log_lines: list[Any]) -> None:
    for seed in random.Random().sample(range(1_000, 1_000_000), 60):
        print(f"seed {seed}")
        await compare(seed, log_lines)


async def test_many_of_the_requests_take_it_and_many_websockets_are_opened(
    log_lines: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or the tests above would compare FastAPI with itself."""
    taken = opened = 0
    call = _FastRoute.call

    async def note(self: _FastRoute, request: Request, arguments: dict[str, Any]) -> Any:
        nonlocal taken
        taken += 1
        return await call(self, request, arguments)

    monkeypatch.setattr(_FastRoute, "call", note)
    for seed in SEEDS:
        found = await outcomes(seed, fast_path=True, log_lines=log_lines)
        opened += str(found).count("websocket.accept")

    assert opened > len(SEEDS) * HANDSHAKES / 5
    assert taken > len(SEEDS) * REQUESTS / 3
