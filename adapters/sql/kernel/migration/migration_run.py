"""What happens around the migrations, in `adapters/sql/migrations/env.py`: the part that differs
from database to database."""

from typing import Protocol

from sqlalchemy import Connection


class MigrationRun(Protocol):
    """One run of one of Alembic's commands, within one transaction."""

    steps: list[str]
    """The migrations that were run, each as its revision and its title."""
    commits: bool
    """Whether the commit has begun: from then on the outcome of a failure is unknown."""

    def begin(self, connection: Connection) -> None:
        """Prepare the transaction that has just begun."""
        ...

    def check(self, connection: Connection) -> None:
        """Raise `MigrationFailed` if what the migrations left must not be committed."""
        ...

    async def stop(self) -> None:
        """Have the database stop the statement that runs."""
        ...
