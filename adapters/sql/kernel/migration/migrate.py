"""Run migrations by Alembic.

Importing Alembic takes a fifth of the service's start and ten megabytes. So this module is imported
only where a database is migrated.
"""

import ast
import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import NoReturn

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.sql.kernel.migration.migration_errors import LockTaken, failure_of, lock_taken
from adapters.sql.kernel.migration.migration_run import MigrationRun
from adapters.sql.kernel.migration.postgresql import PostgresqlMigration
from adapters.sql.kernel.migration.sqlite import SqliteMigration
from application.kernel.errors import ApplicationError, OutcomeUnknown

LOCK_ATTEMPTS = 20
PAUSE_SECONDS = 3.0
"""The pause between two attempts to get a lock, in which requests that wait for it are served."""
STOP_SECONDS = 5.0
"""How long to wait until the database has stopped a cancelled migration."""
_ASK_AGAIN_SECONDS = 0.01
_PYPROJECT = Path(__file__).parents[4] / "pyproject.toml"
# Alembic's `context` and `op` are global: the process can migrate one database at a time.
_alembic = threading.Lock()
_log = logging.getLogger(__name__)


def alembic_config(connection: Connection | None = None) -> Config:
    """Return Alembic's configuration for the connection."""
    config = Config(toml_file=_PYPROJECT)
    config.attributes["connection"] = connection
    return config


async def migrate(engine: AsyncEngine, revision: str = "head") -> list[str]:
    """Migrate the schema up to the revision. Return the migrations that were run, each as its
    revision and its title. Several processes may do so at once: an advisory lock serializes them.

    Raises `MigrationFailed`, with nothing changed, or `LockTaken` after `LOCK_ATTEMPTS`.
    """
    return await run_alembic(engine, lambda config: command.upgrade(config, revision))


async def migrate_down(engine: AsyncEngine, revision: str) -> list[str]:
    """Migrate the schema down to the revision: data that only newer revisions can hold is lost.
    Returns and raises as `migrate` does."""
    return await run_alembic(engine, lambda config: command.downgrade(config, revision))


def undone_by_one_step(revision: str) -> str:
    """Return which migration one step down from the revision undoes, and what that drops."""
    script = ScriptDirectory.from_config(alembic_config()).get_revision(revision)
    lost = ", ".join(_dropped(Path(script.path)))
    title = " ".join([script.revision, *script.doc.split()]).removesuffix(".")
    return f"{title}{', which drops ' if lost else ''}{lost}."


def _dropped(migration: Path) -> Iterator[str]:
    """Yield the tables and columns that the migration's `downgrade` drops by name."""
    for function in ast.parse(migration.read_bytes()).body:
        if isinstance(function, ast.FunctionDef) and function.name == "downgrade":
            for node in ast.walk(function):
                match node:
                    case ast.Call(
                        func=ast.Attribute(attr="drop_table" | "drop_column" as action),
                        args=[*names],
                    ):
                        path = [name.value for name in names if isinstance(name, ast.Constant)]
                        yield f"the {action.removeprefix('drop_')} {'.'.join(map(str, path))}"
                    case _:
                        pass


async def run_alembic(
    engine: AsyncEngine, alembic_command: Callable[[Config], object]
) -> list[str]:
    """Run one of Alembic's commands, and retry it while another transaction holds a lock that it
    needs. Return the migrations that it ran."""
    async with _exclusive_use_of_alembic():
        for attempt in range(1, LOCK_ATTEMPTS + 1):
            try:
                return await _run_once(engine, alembic_command)
            except Exception as error:
                if not (taken := lock_taken(error)):
                    _raise_failure(error)
                _log.warning("%s: attempt %d of %d", taken, attempt, LOCK_ATTEMPTS)
                if attempt == LOCK_ATTEMPTS:
                    raise LockTaken(f"{taken}; gave up after {attempt} attempts") from error
            await _pause(PAUSE_SECONDS)
    raise AssertionError("LOCK_ATTEMPTS is at least 1")


def _raise_failure(error: Exception) -> NoReturn:
    if isinstance(error, CommandError | ApplicationError):
        raise error
    raise failure_of(error) from error


async def _run_once(engine: AsyncEngine, alembic_command: Callable[[Config], object]) -> list[str]:
    kind = PostgresqlMigration if engine.dialect.name == "postgresql" else SqliteMigration
    async with engine.connect() as connection, kind.prepared(engine, connection) as run:

        def work(synchronous: Connection) -> None:
            config = alembic_config(synchronous)
            config.attributes["run"] = run
            alembic_command(config)

        await _until_done(asyncio.create_task(connection.run_sync(work)), run)
    return run.steps


_pause = asyncio.sleep


async def _until_done(task: "asyncio.Task[None]", run: MigrationRun) -> None:
    """Wait for the task. If this is cancelled, stop the statement in the database, so that neither
    the statement nor its locks outlive this process."""
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError as error:
        with suppress(TimeoutError):
            async with asyncio.timeout(STOP_SECONDS):
                while not task.done():
                    await run.stop()
                    await asyncio.wait([task], timeout=0.1)
        task.cancel()
        await asyncio.wait([task])
        if not task.cancelled() and not task.exception():
            raise error from OutcomeUnknown("the migration had just been made")
        if run.commits:
            raise error from OutcomeUnknown("the migration was being committed")
        raise


@asynccontextmanager
async def _exclusive_use_of_alembic() -> AsyncIterator[None]:
    # Another event loop may hold it, which an asyncio.Lock does not support.
    while not _alembic.acquire(blocking=False):  # noqa: ASYNC110
        await asyncio.sleep(_ASK_AGAIN_SECONDS)
    try:
        yield
    finally:
        _alembic.release()
