"""What a unit of work needs from a database: PostgreSQL and SQLite each provide it in their way."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Protocol

from sqlalchemy import Executable, SelectBase, UpdateBase

from adapters.sql.kernel.errors.driver_errors import ConstraintViolated
from application.kernel.errors import ApplicationError

Row = Sequence[Any]
Parameters = Mapping[str, Any]
OneOrMore = Parameters | Sequence[Parameters]
"""As `Connection.execute` of SQLAlchemy takes them: a list has the statement executed for each."""
Statement = Executable


@dataclass(frozen=True, slots=True)
class Write:
    """A change that waits for its commit.

    A statement that may not find what it is meant for returns a row if it did (`RETURNING`).
    `missed` is raised when it did not, and `refused` says what to raise when a constraint, by its
    name, refused it.

    Raises `ValueError` if there is a `missed` and the statement never returns a row.
    """

    statement: Statement
    parameters: OneOrMore
    missed: ApplicationError | None = None
    refused: Mapping[str, ApplicationError] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.missed and not _returns_rows(self.statement):
            raise ValueError(
                "a write with `missed` needs a statement that returns the rows that it finds: "
                "add .returning(...)"
            )

    def check(self, rows: Sequence[Row]) -> None:
        """Raise if the statement, which returned these rows, did not find what it was for."""
        if self.missed and not rows:
            raise self.missed

    def refusal(self, error: ConstraintViolated) -> ApplicationError:
        """Return what to raise instead of the error."""
        return self.refused.get(error.constraint, error)


def refusal_by(writes: Sequence[Write], error: ConstraintViolated) -> ApplicationError:
    """Return what to raise for a constraint that is checked when all the writes are made."""
    return next(
        (write.refusal(error) for write in writes if error.constraint in write.refused), error
    )


@lru_cache(maxsize=500)
def _returns_rows(statement: Statement) -> bool:
    if isinstance(statement, UpdateBase):
        return bool(statement.returning_column_descriptions)
    return isinstance(statement, SelectBase)


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
