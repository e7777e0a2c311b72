"""The interface that a unit of work uses; PostgreSQL and SQLite implement it."""

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
"""As SQLAlchemy's `Connection.execute` takes them: with a list, the statement is executed once for
each element."""
Statement = Executable


@dataclass(frozen=True, slots=True)
class Write:
    """A statement that a unit of work executes when it commits.

    `missed` is raised if the statement returned no row: a change that may match no row says by
    `RETURNING` whether it did. `violations` maps the name of a constraint to the error to raise if
    the statement violates it.

    Raises `ValueError` if there is a `missed` and the statement never returns rows.
    """

    statement: Statement
    parameters: OneOrMore
    missed: ApplicationError | None = None
    violations: Mapping[str, ApplicationError] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.missed and not _returns_rows(self.statement):
            raise ValueError(
                "a write with `missed` needs a statement that returns the rows that it finds: "
                "add .returning(...)"
            )

    def check(self, rows: Sequence[Row]) -> None:
        """Raise `missed` if the statement returned no rows."""
        if self.missed and not rows:
            raise self.missed

    def error_for(self, error: ConstraintViolated) -> ApplicationError:
        """Return the error to raise for a violated constraint: by `violations`, or else `error`."""
        return self.violations.get(error.constraint, error)


def error_of_commit(writes: Sequence[Write], error: ConstraintViolated) -> ApplicationError:
    """Return the error to raise for a deferred constraint, which is checked by the commit."""
    return next(
        (write.error_for(error) for write in writes if error.constraint in write.violations), error
    )


@lru_cache(maxsize=500)
def _returns_rows(statement: Statement) -> bool:
    if isinstance(statement, UpdateBase):
        return bool(statement.returning_column_descriptions)
    return isinstance(statement, SelectBase)


class Fetches(Protocol):
    async def fetch(self, statement: Statement, parameters: Parameters) -> Sequence[Row]:
        """Return all rows of a statement that only reads."""
        ...


class Transaction(Fetches, Protocol):
    """An open transaction, for a unit of work that reads what it wrote."""

    async def apply(self, writes: Sequence[Write]) -> None: ...

    async def commit(self) -> None: ...


class Database(Fetches, Protocol):
    """A database. Every call is a transaction of its own, except those of `transaction()`."""

    async def apply(self, writes: Sequence[Write]) -> None:
        """Commit all the writes; or raise, and commit none."""
        ...

    def transaction(self) -> AbstractAsyncContextManager[Transaction]:
        """Open a transaction. It is rolled back if its block ends without a commit."""
        ...

    async def close(self) -> None:
        """Close everything but the engine that was passed in."""
        ...
