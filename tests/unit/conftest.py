import pytest

from adapters.memory.unit_of_work import MemoryUnitsOfWork
from application.example_items.service import ExampleItemService
from tests.counting_ids import CountingIds
from tests.fixed_clock import FixedClock


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def service(clock: FixedClock) -> ExampleItemService:
    return ExampleItemService(MemoryUnitsOfWork(), clock, CountingIds())
