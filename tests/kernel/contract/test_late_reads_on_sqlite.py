"""A slow read soon gets a connection of its own, and other reads do not wait for it."""

import asyncio

from pydantic import SecretStr
from sqlalchemy import Integer, bindparam, func, select

from adapters.sql.kernel.engine import open_database
from tests.kernel.database_settings import DatabaseSettings, engine_from
from tests.kernel.warehouse.sql import metadata

COUNT = 3_000_000

_first = select(bindparam("first", type_=Integer).label("n")).cte("numbers", recursive=True)
_numbers = _first.union_all(select(_first.c.n + 1).where(_first.c.n < bindparam("last")))
COUNT_UP_TO = select(func.count()).select_from(_numbers)


async def test_other_reads_do_not_wait_for_a_slow_one(sqlite_file_url: str) -> None:
    # Counting takes seconds on a busy machine.
    settings = DatabaseSettings(SecretStr(sqlite_file_url), request_deadline_seconds=60)
    engine = engine_from(settings)
    database = open_database(engine, metadata)

    async def count_up_to(last: int) -> int:
        ((count,),) = await database.fetch(COUNT_UP_TO, {"first": 1, "last": last})
        return int(count)

    await count_up_to(1)  # from now on there is a connection
    slow = asyncio.create_task(count_up_to(COUNT))
    await asyncio.sleep(0.001)  # it begins
    for number in range(1, 4):
        assert await count_up_to(number) == number
        assert not slow.done()

    assert await slow == COUNT
    await database.close()
    await engine.dispose()
