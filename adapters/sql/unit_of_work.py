"""The units of work on a SQL database. Register the repository of your aggregate here.

The tables of all repositories are in `metadata`, which the migrations read from here.
"""

from adapters.sql.example_items.repository import SqlExampleItemReader, SqlExampleItemRepository
from adapters.sql.kernel.execution.database import Database
from adapters.sql.kernel.metadata import metadata
from adapters.sql.kernel.unit_of_work import SqlReadingUnit, SqlWritingUnit

__all__ = ["SqlReadingUnitOfWork", "SqlUnitOfWork", "metadata"]


class SqlReadingUnitOfWork(SqlReadingUnit):
    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.example_items = SqlExampleItemReader(database)


class SqlUnitOfWork(SqlWritingUnit):
    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.example_items = SqlExampleItemRepository(self)
