import pytest


@pytest.fixture
def fault_url(request: pytest.FixtureRequest) -> str:
    """The database of the fixture that a test is parametrized with."""
    return str(request.getfixturevalue(request.param))
