"""The steps around migrations that differ between databases, for
`adapters/sql/migrations/env.py`."""

from typing import Protocol

from sqlalchemy import Connection


class MigrationRun(Protocol):
    """One run of one of Alembic's commands, within one transaction."""

    steps: list[str]
    """The migrations that were run, each as its revision and its title."""
    commits: bool
    """Whether the commit has begun: from then on the outcome of a failure is unknown."""

    def begin(self, connection: Connection) -> None:
        """Prepare a transaction that has just begun."""
        ...

    def check(self, connection: Connection) -> None:
        """Raise `MigrationFailed` if the result of the migrations must not be committed."""
        ...

    async def stop(self) -> None:
        """Let the database cancel the statement that is running."""
        ...
