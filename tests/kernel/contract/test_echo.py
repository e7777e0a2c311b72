"""`APP_DATABASE_ECHO` writes statements to SQLAlchemy's log, without their data."""

import logging
from collections.abc import AsyncIterator

import pytest

from application.kernel.errors import AlreadyExists
from tests.kernel.contract.products import all_stored, new_product, next_version, store
from tests.kernel.database_settings import engine_for
from tests.kernel.warehouse.storages import SqlStorage

LOGGER = "sqlalchemy.engine"
SECRETS = ("the name of a row", "the description of a row", "another name")


@pytest.fixture(params=[True, False])
def echo(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
async def storage(database_url: str, echo: bool) -> AsyncIterator[SqlStorage]:
    storage = SqlStorage(engine_for(database_url, echo=echo))
    await storage.open()
    yield storage
    await storage.close()


async def use(storage: SqlStorage) -> None:
    item = new_product(1, SECRETS[0], SECRETS[1])
    await store(storage.units_of_work, item)
    with pytest.raises(AlreadyExists):
        await store(storage.units_of_work, item)
    async with storage.units_of_work.for_writing() as unit:
        unit.products.update(next_version(item, SECRETS[2]))
        await unit.products.get(item.id)
        await unit.commit()
    await all_stored(storage.units_of_work)


def logged(caplog: pytest.LogCaptureFixture) -> str:
    records = [record for record in caplog.records if record.name.startswith(LOGGER)]
    return "\n".join(record.getMessage() for record in records)


async def test_statements_are_logged_only_with_echo(
    storage: SqlStorage, echo: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.clear()

    await use(storage)

    for statement in ("INSERT INTO products", "UPDATE products", "SELECT products"):
        assert (statement in logged(caplog)) == echo


async def test_no_value_of_a_row_is_logged(
    storage: SqlStorage, echo: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)

    await use(storage)

    assert not any(secret in caplog.text for secret in SECRETS)
