"""The tests that docs/testing.md shows pass."""

from datetime import datetime

import httpx
import pytest

from adapters.memory.kernel.unit_of_work import MemoryUnitsOfWork
from adapters.memory.unit_of_work import MemoryUnitOfWork
from application.example_items.service import ExampleItemService
from application.kernel.errors import VersionMismatch
from domain.example_item import ExampleItem
from entrypoints.http.app import create_app
from tests.documents.test_snippets import run, snippets
from tests.example_items.test_routes import PATH as ITEMS
from tests.kernel.counting_ids import CountingIds
from tests.kernel.fixed_clock import FixedClock
from tests.kernel.integration.service import client_of, settings_for
from tests.kernel.suites.repository import RepositorySuite


async def test_the_tests_of_the_page(storage_url: str, sqlite_in_memory_url: str) -> None:
    shown = run(snippets("testing.md"), **globals())

    await shown.test_a_change_makes_the_next_version()
    async with client_of(create_app(settings_for(storage_url))) as client:
        await shown.test_an_item_can_be_read_where_its_location_says(client)
    await shown.test_the_clock_of_the_app(sqlite_in_memory_url)


_USED_BY_THE_PAGE = (
    CountingIds,
    ExampleItem,
    ExampleItemService,
    FixedClock,
    ITEMS,
    MemoryUnitOfWork,
    MemoryUnitsOfWork,
    RepositorySuite,
    VersionMismatch,
    datetime,
    httpx,
    pytest,
)
