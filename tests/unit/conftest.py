import pytest

from application.example_items.service import ExampleItemService
from tests.counting_ids import CountingIds
from tests.fixed_clock import FixedClock
from tests.storages import MemoryUnitsOfWork


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def service(clock: FixedClock) -> ExampleItemService:
    return ExampleItemService(MemoryUnitsOfWork(), clock, CountingIds())
