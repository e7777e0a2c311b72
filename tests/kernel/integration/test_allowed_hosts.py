"""APP_ALLOWED_HOSTS: which names the service responds for."""

from collections.abc import Callable

import httpx
import pytest

from tests.kernel.integration.problem_document import problem_of
from tests.kernel.integration.service import PRODUCTS, client_of, settings_for
from tests.kernel.warehouse.app import create_app

HOSTS = "api.shop.test, *.Store.test., [0:0::1], 192.0.2.7"


async def response_for(host: str, path: str = PRODUCTS, allowed: str = HOSTS) -> httpx.Response:
    app = create_app(settings_for("memory://", allowed_hosts=allowed))
    async with client_of(app) as client:
        return await client.get(path, headers={"Host": host})


@pytest.mark.parametrize(
    "host",
    [
        "api.shop.test",
        "API.shop.TEST",
        "api.shop.test:8000",
        "api.shop.test:",
        "a.store.test",
        "a.b.store.test:1",
        "[::1]",
        "[::1]:8000",
        "[0:0:0:0:0:0:0:1]",
        "api.shop.test.",
        "API.shop.test.:8000",
        "a.store.test.",
        "192.0.2.7:80",
    ],
)
async def test_allowed_hosts_are_served(host: str) -> None:
    assert (await response_for(host)).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "shop.test",
        "evil.org",
        "api.shop.test.evil.org",
        "evilstore.test",
        "store.test",
        "api.shop.test:80:80",
        "api.shop.test@evil.org",
        "[::2]",
        "::1",
        "[::1",
        "[::1]x",
        "x@a.store.test",
        ".store.test",
        "..store.test",
        "api.shop.test..",
        "a b.store.test",
        "http://api.shop.test",
        "192.0.2.8",
        "",
    ],
)
async def test_other_names_are_rejected(host: str) -> None:
    problem_of(await response_for(host), 421)


async def test_health_checks_are_served_for_any_host() -> None:
    assert (await response_for("10.0.0.7", "/health/live")).status_code == 200


async def test_all_hosts_are_served_with_an_asterisk() -> None:
    assert (await response_for("evil.org", allowed="*")).status_code == 200


@pytest.mark.parametrize(
    ("allowed", "to_write"),
    [
        ("", "list the names of the service, or write * for any"),
        (" , ", "list the names of the service, or write * for any"),
        ("https://api.shop.test", "write api.shop.test, without scheme"),
        ("api.shop.test:443", "write api.shop.test, without scheme, port"),
        ("http://api.shop.test:80/x", "write api.shop.test,"),
        ("[::1]:8000", "write [::1], without scheme, port"),
        ("api.shop.test/v1", "write api.shop.test,"),
        ("a.shop.test b.shop.test", "separate names by commas"),
        ("*.*.shop.test", "a * stands alone"),
        ("api.*", "a * stands alone"),
        ("bücher.test", "xn--"),
        ("fine.test, api..test.org", "'api..test.org' is not a host name"),
    ],
)
def test_a_name_that_no_host_can_equal_is_rejected_at_the_start(
    command: Callable[..., tuple[int, str, str]], allowed: str, to_write: str
) -> None:
    status, _, errors = command(APP_ALLOWED_HOSTS=allowed, APP_DATABASE_URL="memory://")

    assert status == 2
    assert errors.startswith("APP_ALLOWED_HOSTS: ")
    assert errors.count("\n") == 1
    assert to_write in errors
