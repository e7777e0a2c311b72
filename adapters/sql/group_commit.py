"""Group commit: whoever waits to write shares one transaction, and one flush to the disk."""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.sql.compiled_statement import CompiledStatement
from adapters.sql.connection_lease import give_back, lend
from adapters.sql.database import Statement, Write
from adapters.sql.driver_errors import ConstraintViolated, constraint_of, translated
from adapters.sql.sqlite_thread import on_thread
from adapters.sql.statement_events import StatementEvents


@dataclass(slots=True, eq=False)
class _Unit:
    """The writes of one unit of work, as the thread will run them, and who waits for them."""

    writes: list[tuple[Write, str, list[object]]]
    done: asyncio.Future[None]
    error: BaseException | None = None


class GroupCommit:
    """Applies units of writes, each as a whole, to a SQLite database.

    While one group is being committed the next one gathers, so that a lone unit never waits
    for company. Each unit is answered after the commit only.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        compiled: Callable[[Statement], CompiledStatement],
        events: StatementEvents,
    ) -> None:
        self._engine = engine
        self._compiled = compiled
        self._events = events
        self._waiting: list[_Unit] = []
        self._committing: asyncio.Task[None] | None = None

    async def apply(self, writes: Sequence[Write]) -> None:
        """Make the writes durable, or raise and make none of them."""
        unit = _Unit(
            [self._bound(write) for write in writes], asyncio.get_running_loop().create_future()
        )
        self._waiting.append(unit)
        if self._committing is None:
            self._committing = asyncio.create_task(self._commit_all())
        await unit.done

    def _bound(self, write: Write) -> tuple[Write, str, list[object]]:
        compiled = self._compiled(write.statement)
        return write, compiled.sql, compiled.bind(write.parameters)

    async def _commit_all(self) -> None:
        try:
            while self._waiting:
                # A unit whose client went away before its turn is left out.
                units = [unit for unit in self._waiting if not unit.done.done()]
                self._waiting = []
                if units:
                    await self._commit(units)
        finally:
            self._committing = None

    async def _commit(self, units: list[_Unit]) -> None:
        try:
            lease = await lend(self._engine)
            try:
                with ExitStack() as watched:
                    for unit in units:
                        for _, sql, values in unit.writes:
                            watched.enter_context(self._events.around(lease, sql, values))
                    await on_thread(lease, lambda connection: _commit_group(connection, units))
            finally:
                give_back(lease)
        except Exception as error:
            _fail(units, translated(error) or error)
        for unit in units:
            if unit.done.done():
                continue
            if unit.error:
                unit.done.set_exception(unit.error)
            else:
                unit.done.set_result(None)


def _commit_group(connection: sqlite3.Connection, units: list[_Unit]) -> None:
    """Run and commit the units on the connection's thread; leave each one's error with it."""
    try:
        match units:
            case [_Unit(writes=[_]) as alone]:
                _run(connection, alone)  # one statement is a transaction of its own
            case _:
                connection.execute("BEGIN IMMEDIATE")
                for unit in units:
                    _run_apart(connection, unit)
                connection.execute("COMMIT")
    except Exception as error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        _fail(units, translated(error) or error)


def _run_apart(connection: sqlite3.Connection, unit: _Unit) -> None:
    """Run a unit so that its failure undoes nothing but itself."""
    connection.execute("SAVEPOINT unit")
    try:
        _run(connection, unit)
    except Exception as error:
        if not connection.in_transaction:
            raise  # a full disk, for one, makes SQLite undo the whole transaction
        connection.execute("ROLLBACK TO unit")
        unit.error = translated(error) or error
    connection.execute("RELEASE unit")


def _run(connection: sqlite3.Connection, unit: _Unit) -> None:
    for write, sql, values in unit.writes:
        try:
            rows = connection.execute(sql, values).fetchall()
        except sqlite3.IntegrityError as error:
            raise write.refusal(ConstraintViolated(constraint_of(error))) from error
        write.check(rows)


def _fail(units: list[_Unit], error: BaseException) -> None:
    for unit in units:
        unit.error = unit.error or error
