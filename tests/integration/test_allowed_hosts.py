"""APP_ALLOWED_HOSTS: which names the service answers for."""

import httpx
import pytest

from entrypoints.http.app import create_app
from tests.integration.problem_document import problem_of
from tests.integration.service import ITEMS, client_of, settings_for

HOSTS = "api.example.org, *.example.net, [::1]"


async def answer_for(host: str, path: str = ITEMS, allowed: str = HOSTS) -> httpx.Response:
    app = create_app(settings_for("memory://", allowed_hosts=allowed))
    async with client_of(app) as client:
        return await client.get(path, headers={"Host": host})


@pytest.mark.parametrize(
    "host",
    [
        "api.example.org",
        "API.example.ORG",
        "api.example.org:8000",
        "api.example.org:",
        "a.example.net",
        "a.b.example.net:1",
        "[::1]",
        "[::1]:8000",
    ],
)
async def test_its_own_names_are_answered_for(host: str) -> None:
    assert (await answer_for(host)).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "example.org",
        "evil.org",
        "api.example.org.evil.org",
        "evilexample.net",
        "example.net",
        "api.example.org:80:80",
        "api.example.org@evil.org",
        "[::2]",
        "",
    ],
)
async def test_other_names_are_refused(host: str) -> None:
    problem_of(await answer_for(host), 421)


async def test_health_is_told_under_any_name() -> None:
    assert (await answer_for("10.0.0.7", "/health/live")).status_code == 200


async def test_every_name_is_answered_for_unless_some_are_set() -> None:
    assert (await answer_for("evil.org", allowed="*")).status_code == 200
