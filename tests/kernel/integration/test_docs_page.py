"""The documentation is served whole by the service itself."""

import re

import httpx
import pytest

from tests.kernel.integration.problem_document import problem_of
from tests.kernel.integration.service import PRODUCTS, client_of, in_memory_only, settings_for
from tests.kernel.warehouse.app import create_app

LINK = re.compile(r"""(?:src|href|spec-url)=["']([^"']+)["']|\burl: ["']([^"']+)["']""")
PAGES = ["/docs", "/redoc"]


@in_memory_only
@pytest.mark.parametrize("page", PAGES)
async def test_a_page_and_all_that_it_names_are_served_here(
    client: httpx.AsyncClient, page: str
) -> None:
    response = await client.get(page)

    assert response.status_code == 200
    assert response.headers["Content-Type"].startswith("text/html")
    assert not re.search(r"https?://|[\"']//", response.text)
    links = {one or other for one, other in LINK.findall(response.text)}
    assert "/openapi.json" in links
    assert any(link.endswith(".js") for link in links)
    for link in links:
        asset = await client.get(link)
        assert asset.status_code == 200, link
        assert asset.content


@in_memory_only
@pytest.mark.parametrize("page", [*PAGES, "/openapi.json", "/static-offline-docs/swagger-ui.css"])
async def test_a_docs_page_supports_head_and_rejects_other_methods(
    client: httpx.AsyncClient, page: str
) -> None:
    head = await client.head(page)
    assert (head.status_code, head.content) == (200, b"")

    other = await client.post(page)
    problem_of(other, 405)
    assert other.headers["Allow"] == "GET, HEAD"


@pytest.mark.parametrize(
    "path",
    [*PAGES, "/docs/oauth2-redirect", "/openapi.json", "/static-offline-docs/swagger-ui.css"],
)
async def test_it_can_be_turned_off(path: str) -> None:
    app = create_app(settings_for("memory://", docs_enabled=False))
    async with client_of(app) as client:
        problem_of(await client.get(path), 404)
        problem_of(await client.post(path), 404)
        assert (await client.get(PRODUCTS)).status_code == 200
