"""What a unit of work needs from a database: PostgreSQL and SQLite each provide it in their way."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

from sqlalchemy import Delete, Insert, Select, Update

from adapters.sql.driver_errors import ConstraintViolated
from application.errors import ApplicationError

Row = Sequence[Any]
Parameters = Mapping[str, Any]
Statement = Select[Any] | Insert | Update | Delete


@dataclass(frozen=True, slots=True)
class Write:
    """A change that waits for its commit.

    A statement that may not find what it is meant for returns a row if it did (`RETURNING`).
    `missed` is raised when it did not, and `refused` says what to raise when a constraint, by its
    name, refused it.
    """

    statement: Statement
    parameters: Parameters
    missed: ApplicationError | None = None
    refused: Mapping[str, ApplicationError] = field(default_factory=dict)

    def check(self, rows: Sequence[Row]) -> None:
        """Raise if the statement, which returned these rows, did not find what it was for."""
        if self.missed and not rows:
            raise self.missed

    def refusal(self, error: ConstraintViolated) -> ApplicationError:
        """Return what to raise instead of the error."""
        return self.refused.get(error.constraint, error)


class Fetches(Protocol):
    async def fetch(self, statement: Statement, parameters: Parameters) -> Sequence[Row]:
        """Return all rows of a reading statement."""
        ...


class Transaction(Fetches, Protocol):
    """Several statements that are one: for a unit of work that reads what it wrote."""

    async def apply(self, writes: Sequence[Write]) -> None: ...

    async def commit(self) -> None: ...


class Database(Fetches, Protocol):
    """A database, with every statement on its own unless it is part of a transaction."""

    async def apply(self, writes: Sequence[Write]) -> None:
        """Make all the changes durable, or raise and make none."""
        ...

    def transaction(self) -> AbstractAsyncContextManager[Transaction]:
        """Open a transaction, which rolls back when its block ends without a commit."""
        ...

    async def close(self) -> None:
        """Close what was opened beside the engine that the database was made with."""
        ...
