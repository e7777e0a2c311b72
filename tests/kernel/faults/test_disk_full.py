"""A full disk: writes are rejected with a 507, reads still work, and the service recovers.

Without the translation of SQLite's and PostgreSQL's errors
(`adapters/sql/kernel/errors/driver_errors.py`), each rejection is a 500. For SQLite, a limit on the
size of files takes the place of the full disk. PostgreSQL's server treats that limit as a defect,
and a full disk needs root: there, a trigger raises the error of a full disk.
"""

import resource
import sys
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import make_url

from tests.kernel.faults.running import all_items, create_until, service_on
from tests.kernel.faults.service_log import assert_no_traceback

DISK_FULL = """
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE 'could not extend file' USING ERRCODE = 'disk_full'; END $$;
    CREATE TRIGGER refuse BEFORE INSERT ON products EXECUTE FUNCTION refuse();
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has prlimit")
async def test_writes_are_rejected_reads_continue_and_the_service_recovers(
    sqlite_file_url: str, tmp_path: Path
) -> None:
    async with service_on(sqlite_file_url) as service:
        created = await create_until(service, {201}, seconds=0.3)
        largest = max(path.stat().st_size for path in tmp_path.glob("test.db*"))
        limit_files(service.pid, largest + 20_000)

        responses = await create_until(service, {201, 507}, seconds=0.5)
        while not (rejected := [each for each in responses if each.status_code == 507]):
            responses += await create_until(service, {201, 507}, seconds=0.5)
        assert rejected[0].headers["Content-Type"] == "application/problem+json"
        kept = [response.json()["id"] for response in [*created, *responses] if response.is_success]
        assert sorted(item["id"] for item in await all_items(service)) == sorted(kept)

        limit_files(service.pid, resource.RLIM_INFINITY)
        assert await create_until(service, {201}, seconds=0.2)
    assert_no_traceback(service)


async def test_a_change_that_postgresql_has_no_space_for_is_a_507(postgresql_url: str) -> None:
    dsn = make_url(postgresql_url).set(drivername="postgresql")
    disk = await asyncpg.connect(dsn.render_as_string(hide_password=False))
    try:
        async with service_on(postgresql_url) as service:
            created = await create_until(service, {201}, seconds=0.2)
            await disk.execute(DISK_FULL)
            try:
                (rejected, *_) = await create_until(service, {507}, seconds=0.2)
                assert rejected.headers["Content-Type"] == "application/problem+json"
                assert len(await all_items(service)) == len(created)
            finally:
                await disk.execute("DROP FUNCTION refuse CASCADE")
            assert await create_until(service, {201}, seconds=0.2)
        assert_no_traceback(service)
    finally:
        await disk.close()


def limit_files(pid: int, size: int) -> None:
    """Let the process make no file larger than this many bytes."""
    _, most = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, most))
