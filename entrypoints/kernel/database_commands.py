"""The commands of `python -m entrypoints db`. Each returns an exit status, and prints its result,
and nothing else, to standard output."""

import argparse
import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress

import structlog
from alembic.util import CommandError
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.sql.kernel.engine import init_database
from adapters.sql.kernel.migration.migrate import migrate, migrate_down, undone_by_one_step
from adapters.sql.kernel.migration.new_migration import NOT_SEEN, write_migration
from adapters.sql.kernel.migration.schema import UPGRADE, SchemaPosition, schema_position
from entrypoints.kernel.failures import reason
from entrypoints.kernel.service_settings import ServiceSettings, unknown_settings

# No request waits for a command, so a statement may take a day.
_TIME_TO_MIGRATE = {"request_deadline_seconds": 86_400.0}
_SQLITE_IN_MEMORY = {"database_url": SecretStr("sqlite+aiosqlite://")}
_ENDED_BY_SIGNAL = 128
"""An exit status above this says which signal ended the command, as in a shell."""

_log = structlog.get_logger(__name__)
Command = Callable[[ServiceSettings, argparse.Namespace], Awaitable[int]]


def run(command: Command, settings: ServiceSettings, options: argparse.Namespace) -> int:
    """Run a command to its end, or until SIGINT or SIGTERM, and return its exit status. A failure
    prints one line."""
    for sentence in unknown_settings(type(settings)):
        _log.warning("unknown setting", reason=sentence)
    try:
        return asyncio.run(_until_signal(command(settings, options)))
    except CommandError as error:
        text = " ".join(str(error).split())
        print(f"{text[:1].upper()}{text[1:].removesuffix('.')}.", file=sys.stderr)
    except Exception as error:
        print(
            f"The database {settings.database_label} cannot be used: {reason(error)}.",
            file=sys.stderr,
        )
    return 1


async def upgrade(settings: ServiceSettings, options: argparse.Namespace) -> int:
    """Migrate up. Concurrent upgrades run one after the other."""
    async with _engine(settings) as engine:
        position = await schema_position(engine)
        if position.is_ahead and options.revision in {None, "head"}:
            print(f"{position}", file=sys.stderr)
            steps: list[str] = []
        else:
            _assert_known(position)
            steps = await migrate(engine, options.revision or "head")
        await _report("ran", steps, engine)
    return 0


async def downgrade(settings: ServiceSettings, options: argparse.Namespace) -> int:
    """Migrate down, to a revision or by one step."""
    async with _engine(settings) as engine:
        position = await schema_position(engine)
        _assert_known(position)
        if not options.revision and not options.yes:
            if not position.revision:
                raise CommandError("There is no migration to take back: the database is empty.")
            print(
                f"This takes back {undone_by_one_step(position.revision)} "
                "Name the revision to go back to, or add --yes.",
                file=sys.stderr,
            )
            return 2
        await _report("took back", await migrate_down(engine, options.revision or "-1"), engine)
    return 0


async def current(settings: ServiceSettings, options: argparse.Namespace) -> int:
    """Print the revision of the database and the newest one."""
    async with _engine(settings) as engine:
        position = await schema_position(engine)
    print(_line(position))
    if options.check and position.is_behind:
        print(f"The schema is behind: run `{UPGRADE}`.", file=sys.stderr)
        return 1
    return 0


async def revision(settings: ServiceSettings, options: argparse.Namespace) -> int:
    """Write a migration from the difference between the database and the tables.

    With SQLite no database is needed: the existing migrations create one in memory.
    """
    if settings.uses_sqlite:
        settings = settings.model_copy(update=_SQLITE_IN_MEMORY)
    async with _engine(settings) as engine:
        if settings.uses_sqlite:
            await migrate(engine)
        file = await write_migration(engine, options.message)
    print(file)
    print(f"Read it before you run it. Alembic does not see {NOT_SEEN}.", file=sys.stderr)
    return 0


@asynccontextmanager
async def _engine(settings: ServiceSettings) -> AsyncIterator[AsyncEngine]:
    engine = await init_database(settings.model_copy(update=_TIME_TO_MIGRATE))
    try:
        yield engine
    finally:
        await engine.dispose()


def _assert_known(position: SchemaPosition) -> None:
    if position.is_ahead:
        raise CommandError(f"{position}: migrate it with the version that it belongs to.")


async def _report(verb: str, steps: Sequence[str], engine: AsyncEngine) -> None:
    for step in steps:
        print(f"{verb} {step}")
    if not steps:
        print("nothing to do")
    print(_line(await schema_position(engine)))


def _line(position: SchemaPosition) -> str:
    return f"database: {position.revision or 'empty'}, newest: {position.needed}"


async def _until_signal(command: Awaitable[int]) -> int:
    """Return the exit status of the command, or that of the signal that ended it."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    received: list[signal.Signals] = []

    def stop(number: signal.Signals) -> None:
        received.append(number)
        task.cancel()  # type: ignore[union-attr]  # this coroutine is a task

    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError):  # Windows
            loop.add_signal_handler(number, stop, number)
    try:
        return await command
    except asyncio.CancelledError as error:
        if not received:
            raise
        outcome = str(error.__cause__ or "nothing was changed")
        print(f"Stopped by {received[0].name}: {outcome}.", file=sys.stderr)
        return _ENDED_BY_SIGNAL + received[0]
