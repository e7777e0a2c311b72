import pytest

from tests.kernel.counting_ids import CountingIds
from tests.kernel.fixed_clock import FixedClock
from tests.kernel.warehouse.application import ProductService
from tests.kernel.warehouse.storages import MemoryUnitsOfWork


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def service(clock: FixedClock) -> ProductService:
    return ProductService(MemoryUnitsOfWork(), clock, CountingIds())
