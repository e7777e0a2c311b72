"""Group commit: all waiting units of work share one transaction and one flush to the disk."""

import sqlite3
from collections.abc import Sequence
from typing import Any, cast

from sqlalchemy import PoolProxiedConnection

from adapters.sql.kernel.errors.driver_errors import ConstraintViolated, meaning_of
from adapters.sql.kernel.execution.database import Write, error_of_commit
from adapters.sql.kernel.sqlite.batches import SqliteBatches, Work, fail_all
from adapters.sql.kernel.sqlite.constraints import SqliteConstraints, is_foreign_key
from application.kernel.commits import COMMITS


class WriteWork(Work):
    """The writes of one unit of work, which are committed as a whole or not at all."""

    __slots__ = ("commits", "writes")

    def __init__(
        self, writes: Sequence[Write], statements: Sequence[tuple[str, Sequence[Any]]]
    ) -> None:
        super().__init__(statements)
        self.writes = writes
        self.commits = COMMITS.get()


class WriteBatches(SqliteBatches[WriteWork]):
    """Batches of writes. Their commit is in progress from the moment that the thread has them: if a
    caller is cancelled after that, the outcome of its commit is unknown."""

    async def run_batch(self, connection: PoolProxiedConnection, batch: list[WriteWork]) -> None:
        for work in batch:
            work.commits.begin()
        await super().run_batch(connection, batch)
        for work in batch:
            work.commits.end(made=work.error is None)


def commit_together(
    constraints: SqliteConstraints, connection: sqlite3.Connection, units: list[WriteWork]
) -> None:
    """Execute the units of work, and commit those that succeed in one transaction."""
    try:
        # Also around a single statement: in autocommit mode SQLite could interrupt it after it has
        # been committed. See `DeadlineConnection`.
        connection.execute("BEGIN IMMEDIATE")
        if len(units) == 1:
            _run(constraints, connection, units[0])
        else:
            for unit in units:
                _run_apart(constraints, connection, unit)
        connection.commit()
    except Exception as error:
        connection.rollback()  # does nothing if SQLite has rolled back by itself
        if not (isinstance(error, sqlite3.IntegrityError) and is_foreign_key(meaning_of(error))):
            fail_all(units, error)
        elif len(units) > 1:
            # COMMIT does not say which unit violates a deferred foreign key.
            for unit in units:
                if not unit.error:
                    commit_together(constraints, connection, [unit])
        else:
            _reject_deferred(constraints, connection, units[0], error)


def _reject_deferred(
    constraints: SqliteConstraints,
    connection: sqlite3.Connection,
    unit: WriteWork,
    error: sqlite3.IntegrityError,
) -> None:
    connection.execute("BEGIN IMMEDIATE")
    meaning = constraints.meaning_of(error, connection, unit.statements)
    connection.rollback()
    if isinstance(meaning, ConstraintViolated):
        meaning = error_of_commit(unit.writes, meaning)
    meaning.__cause__ = error
    unit.error = cast(Exception, meaning)


def _run_apart(
    constraints: SqliteConstraints, connection: sqlite3.Connection, unit: WriteWork
) -> None:
    """Execute a unit of work so that its failure undoes only its own writes."""
    # A single failed statement is undone by SQLite: https://www.sqlite.org/lang_conflict.html
    has_several = len(unit.writes) > 1
    if has_several:
        connection.execute("SAVEPOINT unit")
    try:
        _run(constraints, connection, unit)
    except Exception as error:
        # Some errors, such as a full disk, make SQLite roll back the whole transaction; and a
        # statement that was interrupted at its end has not been undone.
        if not connection.in_transaction or _is_interrupt(error):
            raise
        if has_several:
            connection.execute("ROLLBACK TO unit")
        unit.error = cast(Exception, meaning_of(error))
    if has_several:
        connection.execute("RELEASE unit")


def _is_interrupt(error: Exception) -> bool:
    return getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT


def _run(constraints: SqliteConstraints, connection: sqlite3.Connection, unit: WriteWork) -> None:
    for write, (sql, values) in zip(unit.writes, unit.statements, strict=True):
        try:
            rows = connection.execute(sql, values).fetchall()
        except sqlite3.IntegrityError as error:
            meaning = constraints.meaning_of(error, connection, [(sql, values)])
            if isinstance(meaning, ConstraintViolated):
                raise write.error_for(meaning) from error
            raise
        write.check(rows)
