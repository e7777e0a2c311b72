"""A password stands in no error, whatever goes wrong."""

import traceback

import pytest
from sqlalchemy import make_url

from application.kernel.errors import StorageUnavailable
from tests.kernel.contract.products import new_product, store
from tests.kernel.database_settings import engine_for
from tests.kernel.warehouse.storages import SqlStorage

PASSWORD = "not-the-right-one"


async def failure(url: str) -> str:
    """Return all that a log could say about the failure."""
    storage = SqlStorage(engine_for(url, echo=True))
    with pytest.raises(StorageUnavailable) as raised:
        await store(storage.units_of_work, new_product())
    await storage.close()
    return "".join(traceback.format_exception(raised.value))


async def test_a_rejected_password_is_not_repeated(
    postgresql_url: str, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    url = make_url(postgresql_url).set(password=PASSWORD)

    text = await failure(url.render_as_string(hide_password=False))

    assert PASSWORD not in text + caplog.text + "".join(capsys.readouterr())


async def test_the_password_for_a_server_that_is_down_is_not_shown() -> None:
    assert PASSWORD not in await failure(f"postgresql+asyncpg://somebody:{PASSWORD}@127.0.0.1:1/x")
