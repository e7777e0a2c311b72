"""A full disk: what needs room is refused with a 507, reads go on, and it mends itself.

Taken out, the translation of SQLite's and PostgreSQL's errors (`adapters/sql/driver_errors.py`)
makes each refusal a 500. The limit on the size of a file stands in for the disk.
"""

import resource
import sys
from pathlib import Path

import pytest

from tests.faults.running import all_items, create_until, service_on

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has prlimit")


async def test_writes_are_refused_reads_go_on_and_it_recovers(
    sqlite_file_url: str, tmp_path: Path
) -> None:
    async with service_on(sqlite_file_url) as service:
        created = await create_until(service, {201}, seconds=0.3)
        room = sum(path.stat().st_size for path in tmp_path.glob("test.db*"))
        limit_files(service.pid, room + 20_000)

        answers = await create_until(service, {201, 507}, seconds=1.0)
        refused = [answer for answer in answers if answer.status_code == 507]
        assert refused
        assert refused[0].headers["Content-Type"] == "application/problem+json"
        kept = [answer.json()["id"] for answer in [*created, *answers] if answer.is_success]
        assert sorted(item["id"] for item in await all_items(service)) == sorted(kept)

        limit_files(service.pid, resource.RLIM_INFINITY)
        assert await create_until(service, {201}, seconds=0.2)
    assert "Traceback" not in service.log


def limit_files(pid: int, size: int) -> None:
    """Let the process make no file larger than this many bytes."""
    _, most = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, most))
