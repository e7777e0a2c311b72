"""PostgreSQL's settings of a session, wherever they come from, change nothing of what a statement
returns: neither by the repositories' way nor to a session of SQLAlchemy on the same engine."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import Executable, bindparam, func, insert, make_url, select, text
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from adapters.sql.kernel.engine import open_database
from tests.kernel.database_settings import engine_for
from tests.kernel.statements.both_ways import BothWays, Step
from tests.kernel.statements.warehouse import Warehouse

Settings = Mapping[str, str]

SETTINGS: Mapping[str, Settings] = {
    "German": {"datestyle": "German"},
    "SQL": {"datestyle": "SQL,DMY", "timezone": "America/New_York"},
    "Postgres": {"datestyle": "Postgres,MDY", "timezone": "UTC"},
    # Its offset had seconds until 1937.
    "Amsterdam": {"timezone": "Europe/Amsterdam"},
    # The years of some times are 0 and 10000 there.
    "west": {"timezone": "America/New_York"},
    "east": {"timezone": "Asia/Kolkata"},
}
ALL: Settings = {
    "timezone": "Asia/Kolkata",
    "datestyle": "SQL,DMY",
    "intervalstyle": "sql_standard",
    "bytea_output": "escape",
    "extra_float_digits": "-10",
}
AT = datetime(2026, 7, 1, 12, 0, 0, 120_000, timezone(timedelta(hours=5, minutes=30)))
TIMES = {
    2: None,
    3: datetime(1900, 1, 1, tzinfo=UTC),
    4: datetime(1, 1, 1, tzinfo=UTC),
    5: datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    6: datetime.max,  # noqa: DTZ901 -- the driver's form of infinity
}
# Of year 1 in the east, which Python can have, but not in UTC.
BEFORE_CHRIST = "7, '0001-12-31 20:00+00 BC'"


def sample(number: int) -> dict[str, Any]:
    return {
        "id": number,
        "instant": AT,
        "local_time": datetime(2026, 7, 2, 12),  # noqa: DTZ001 -- a column without a zone
        "date": date(2026, 7, 3),
        "zoned_time": time(12, tzinfo=UTC),
        "interval": timedelta(days=-3, seconds=5, microseconds=1),
        "instants": [AT, AT],
        "instant_range": Range(AT, None),
        "composite": (1, "m", AT),
        "binary": b"\0\\\xff",
        "float_": 1 / 3,
        "double": 1 / 3,
        "numeric_as_float": 1 / 3,
        "json": {"a": 1.5},
    }


def queries(warehouse: Warehouse) -> list[Executable]:
    samples = warehouse.samples
    at = samples.c.instant
    usual = samples.c.id == 1
    return [
        select(samples).where(usual),
        select(samples).where(usual).order_by(samples.c.id),
        select(at, samples.c.id).where(usual).order_by(samples.c.id),
        select(func.row(at, 1), func.array_agg(at)).where(usual).group_by(at),
        select(func.max(at), func.date_trunc("day", at)).where(usual).group_by(at),
        # What the settings are there for.
        select(func.concat(at, samples.c.interval, samples.c.date)).where(usual),
        text("SELECT instant, row(instant, 1), instant::text FROM samples WHERE id = 1"),
        text("SELECT '-infinity'::timestamptz"),
    ]


@pytest.fixture(scope="module")
def kind_of_database() -> str:
    return "postgresql"


def url_with(url: str, options: str) -> str:
    return f"{url}?options={quote(options)}" if options else url


async def execute(engine: AsyncEngine, *statements: str) -> None:
    async with engine.begin() as connection:
        for statement in statements:
            await connection.execute(text(statement))


@asynccontextmanager
async def engine_with(
    way: str, settings: Settings, url: str, *, is_plain: bool
) -> AsyncIterator[AsyncEngine]:
    """Yield an engine whose only connection has the settings, given in this way."""
    options = ""
    if way == "options":
        options = " ".join(f"-c {name}={value}" for name, value in settings.items())
    if is_plain:
        arguments = {"server_settings": {"options": options}} if options else {}
        engine = create_async_engine(url, pool_size=1, max_overflow=0, connect_args=arguments)
    else:
        engine = engine_for(url_with(url, options), pool_size=1)
    owner = create_async_engine(url)
    target = {
        "ALTER DATABASE": f"ALTER DATABASE {make_url(url).database}",
        "ALTER ROLE": f"ALTER ROLE CURRENT_USER IN DATABASE {make_url(url).database}",
    }.get(way)
    if target:
        await execute(owner, *(f"{target} SET {name} = {settings[name]!r}" for name in settings))
    try:
        if way == "SET":
            await execute(engine, *(f"SET {name} = {settings[name]!r}" for name in settings))
        yield engine
    finally:
        await engine.dispose()
        if target:
            await execute(owner, *(f"{target} RESET {name}" for name in settings))
        await owner.dispose()


@pytest.mark.parametrize(
    ("way", "settings"),
    [
        *(pytest.param("SET", settings, id=name) for name, settings in SETTINGS.items()),
        *((way, ALL) for way in ("SET", "options", "ALTER ROLE", "ALTER DATABASE")),
    ],
)
def test_they_change_nothing(
    both_ways: BothWays,
    warehouse: Warehouse,
    urls: tuple[str, str],
    runner: asyncio.Runner,
    way: str,
    settings: Settings,
) -> None:
    samples = warehouse.samples
    by_id = select(samples.c.id, samples.c.instant).where(samples.c.id == bindparam("key"))
    by_id = by_id.order_by(samples.c.id)
    add = insert(samples)

    async def compare() -> None:
        await both_ways.clear()
        async with (
            engine_with(way, settings, urls[0], is_plain=False) as ours,
            engine_with(way, settings, urls[1], is_plain=True) as plain,
        ):
            both = BothWays(warehouse, ours, open_database(ours, warehouse.metadata), plain)
            times = [Step(add, {"id": number, "instant": at}) for number, at in TIMES.items()]
            before_christ = f"INSERT INTO samples (id, instant) VALUES ({BEFORE_CHRIST})"
            await both.unit([Step(add, sample(1)), *times, Step(text(before_christ), {})])
            for number in (*TIMES, 7):
                await both.read(Step(by_id, {"key": number}))
            for query in queries(warehouse):
                await both.read(Step(query, {}))
            page = select(samples.c.instant).order_by(samples.c.id)
            await both.read(Step(page, {}))
            await both.transaction([Step(page, {}, is_read=True)])
            name, *_ = settings
            await both.read(Step(text(f"SHOW {name}"), {}))
            await both.close()

    runner.run(compare())
