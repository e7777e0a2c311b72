"""What docs/deploying.md shows works."""

import asyncio
import re

import httpx

from tests.documents.test_references import ROOT
from tests.kernel.processes.nginx import needs_nginx, nginx
from tests.kernel.processes.service_process import ServiceProcess

PAGE = (ROOT / "docs" / "deploying.md").read_text("utf-8")


@needs_nginx
async def test_the_service_is_reached_through_the_nginx_that_the_page_shows() -> None:
    shown = re.search(r"```nginx\n(.*?)```", PAGE, re.DOTALL)
    assert shown
    settings = {"APP_DATABASE_URL": "memory://", "APP_ALLOWED_HOSTS": "127.0.0.1"}
    async with ServiceProcess(settings, arguments=("-m", "entrypoints")) as service:
        proxy = nginx(shown[1].replace("http://127.0.0.1:8000", service.base_url))
        base_url = await asyncio.to_thread(proxy.__enter__)
        try:
            async with httpx.AsyncClient(base_url=base_url, trust_env=False) as client:
                response = await client.get("/openapi.json")
        finally:
            await asyncio.to_thread(proxy.__exit__, None, None, None)

    assert response.status_code == 200
    # nginx makes an id for the request, and the service takes it.
    assert f'"request_id":"{response.headers["X-Request-ID"]}"' in service.log
