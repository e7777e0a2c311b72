"""Record the outcome of the commits of plain SQLAlchemy sessions, as units of work record
theirs."""

import sqlite3
from collections.abc import Callable
from typing import Any

import asyncpg
from sqlalchemy import Connection, event
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.sql.kernel.errors.driver_errors import ConnectionLost, translated
from application.kernel.commits import COMMITS


def note_commits_of_sessions(engine: AsyncEngine) -> None:
    """Record the outcome of every commit that SQLAlchemy makes on the engine's connections.

    SQLAlchemy has an event before a commit but none after it. So the dialect's own method is
    wrapped: `Dialect.do_commit`, https://docs.sqlalchemy.org/en/21/core/internals.html
    """
    dialect = engine.sync_engine.dialect
    commit: Callable[[Any], None] = dialect.do_commit

    def do_commit(dbapi_connection: Any) -> None:
        commits = COMMITS.get()
        commits.begin()
        try:
            commit(dbapi_connection)
        except Exception as error:
            if _is_rejection(error):
                # SQLite leaves the transaction open, and SQLAlchemy assumes that it has ended:
                # without a rollback the connection would return to the pool with it.
                dialect.do_rollback(dbapi_connection)
                commits.end(made=False)
            raise
        commits.end(made=True)

    dialect.do_commit = do_commit  # type: ignore[method-assign]
    if dialect.name == "postgresql":
        event.listen(engine.sync_engine, "begin", _note_autocommit)


def _note_autocommit(connection: Connection) -> None:
    """With AUTOCOMMIT, every statement is committed at once and no rollback can undo it."""
    proxied = connection.connection
    if connection.dialect.detect_autocommit_setting(proxied.dbapi_connection):  # type: ignore[arg-type]
        COMMITS.get().begin()


def _is_rejection(error: Exception) -> bool:
    """Return whether the database reported that it did not commit."""
    is_of_database = any(
        isinstance(each, asyncpg.PostgresError | sqlite3.Error) for each in (error, error.__cause__)
    )
    return is_of_database and not isinstance(translated(error), ConnectionLost)
