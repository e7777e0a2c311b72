"""Group commit: all units of work that wait share one transaction, and one flush to the disk."""

import sqlite3
from collections.abc import Sequence
from typing import Any, cast

from sqlalchemy import PoolProxiedConnection

from adapters.sql.kernel.errors.driver_errors import ConstraintViolated, meaning_of
from adapters.sql.kernel.execution.database import Write, refusal_by
from adapters.sql.kernel.sqlite.batches import SqliteBatches, Work, fail_all
from adapters.sql.kernel.sqlite.constraints import SqliteConstraints, is_foreign_key
from application.kernel.commits import COMMITS


class WriteWork(Work):
    """The writes of one unit of work, which are made as a whole or not at all."""

    __slots__ = ("commits", "writes")

    def __init__(
        self, writes: Sequence[Write], statements: Sequence[tuple[str, Sequence[Any]]]
    ) -> None:
        super().__init__(statements)
        self.writes = writes
        self.commits = COMMITS.get()


class WriteBatches(SqliteBatches[WriteWork]):
    """Batches of writes, whose commit is under way from the moment that the thread has them: a
    waiter that is cancelled from then on cannot know whether its writes are made."""

    async def run_batch(self, connection: PoolProxiedConnection, batch: list[WriteWork]) -> None:
        for work in batch:
            work.commits.begin()
        await super().run_batch(connection, batch)
        for work in batch:
            work.commits.end(made=work.error is None)


def commit_together(
    constraints: SqliteConstraints, connection: sqlite3.Connection, units: list[WriteWork]
) -> None:
    """Run the units and commit those that succeed; none is told so before the commit."""
    try:
        # Also around a single statement: SQLite may interrupt one that commits by itself when it
        # has been stored. See `DeadlineConnection.commit`.
        connection.execute("BEGIN IMMEDIATE")
        if len(units) == 1:
            _run(constraints, connection, units[0])
        else:
            for unit in units:
                _run_apart(constraints, connection, unit)
        connection.commit()
    except Exception as error:
        connection.rollback()  # does nothing where SQLite has undone all
        if not (isinstance(error, sqlite3.IntegrityError) and is_foreign_key(meaning_of(error))):
            fail_all(units, error)
        elif len(units) > 1:
            # COMMIT does not say which unit violates a deferred key.
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
        meaning = refusal_by(unit.writes, meaning)
    meaning.__cause__ = error
    unit.error = cast(Exception, meaning)


def _run_apart(
    constraints: SqliteConstraints, connection: sqlite3.Connection, unit: WriteWork
) -> None:
    """Run a unit so that its failure undoes nothing but itself."""
    # One statement that fails undoes itself: https://www.sqlite.org/lang_conflict.html
    has_several = len(unit.writes) > 1
    if has_several:
        connection.execute("SAVEPOINT unit")
    try:
        _run(constraints, connection, unit)
    except Exception as error:
        # A full disk, for one, makes SQLite undo the whole transaction; and a statement that was
        # interrupted at its end has not undone itself.
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
                raise write.refusal(meaning) from error
            raise
        write.check(rows)
