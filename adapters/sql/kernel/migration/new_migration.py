"""Write a migration from the difference between a database and the tables (autogenerate)."""

import subprocess
import sys
import textwrap
from argparse import Namespace
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.sql.kernel.migration.migrate import run_alembic
from adapters.sql.kernel.migration.schema import head, schema_position

NOT_SEEN = (
    "renames (a dropped and an added table or column: rows are lost), CHECK constraints, values of "
    "an ENUM, computed columns, WITHOUT ROWID, triggers, views, and rows that have to change"
)
"""The changes that Alembic does not detect:
https://alembic.sqlalchemy.org/en/latest/autogenerate.html"""
_REVISION = "%Y%m%d_%H%M"
_LINE = 90


async def write_migration(engine: AsyncEngine, message: str) -> Path:
    """Write a migration from the database's schema to the tables. Return its file, linted and
    formatted if ruff is installed.

    Raises `CommandError` if the database is not at the newest revision.
    """
    message = " ".join(message.split())
    if not message:
        raise CommandError("a migration needs a title")
    position = await schema_position(engine)
    if position.is_behind or position.is_ahead:
        raise CommandError(f"{position}")
    written: list[Path] = []

    def write(config: Config) -> None:
        title = textwrap.fill(message.replace("\\", "\\\\").replace('"', '\\"'), _LINE)
        config.attributes["title"] = title
        config.cmd_opts = Namespace(quiet=True)
        script = command.revision(
            config, message, autogenerate=True, rev_id=_next_revision(head(), datetime.now(UTC))
        )
        written.append(Path(script.path))  # type: ignore[union-attr]  # there is one

    await run_alembic(engine, write)
    _lint(written[0])
    return written[0]


def _next_revision(newest: str, now: datetime) -> str:
    """Return the time as a revision, which is later than the newest one even if the clock is
    not."""
    try:
        earliest = datetime.strptime(newest, _REVISION).replace(tzinfo=UTC) + timedelta(minutes=1)
    except ValueError:
        return now.strftime(_REVISION)
    return max(now, earliest).strftime(_REVISION)


def _lint(file: Path) -> None:
    if find_spec("ruff"):
        for action in (["check", "--fix"], ["format"]):
            subprocess.run(  # noqa: S603 -- the program is this Python
                [sys.executable, "-m", "ruff", *action, "--quiet", str(file)], check=False
            )
