import asyncio
import sqlite3
from collections.abc import Iterator

import asyncpg
import pytest
import sqlalchemy.exc
from sqlalchemy import create_engine

from adapters.sql.kernel.errors.driver_errors import ConnectionLost, ConstraintViolated, translated
from adapters.sql.kernel.sqlite.constraints import SqliteConstraints
from application.kernel.errors import (
    ApplicationError,
    StorageUnavailable,
)
from tests.kernel.warehouse.sql import metadata

INSERT = (
    "INSERT INTO products (id, name, description, version, created_at, updated_at)"
    " VALUES (?, ?, ?, ?, '', '')"
)


@pytest.fixture
def database() -> Iterator[sqlite3.Connection]:
    """A SQLite database with the tables, and one item of the id "1"."""
    engine = create_engine("sqlite://")
    metadata.create_all(engine)
    connection = engine.raw_connection().driver_connection
    assert isinstance(connection, sqlite3.Connection)
    connection.execute(INSERT, ("1", "lamp", None, 1))
    yield connection
    connection.close()


def error_of(database: sqlite3.Connection, sql: str, *values: object) -> ApplicationError | None:
    with pytest.raises(sqlite3.Error) as raised:
        database.execute(sql, values)
    return translated(raised.value)


@pytest.mark.parametrize(
    ("row", "constraint"),
    [
        (("1", "chair", None, 1), "pk_products"),
        (("2", "", None, 1), "ck_products_name_length"),
        (("2", "n" * 201, None, 1), "ck_products_name_length"),
        (("2", "chair", "d" * 2_001, 1), "ck_products_description_length"),
        (("2", "chair", None, 0), "ck_products_version"),
    ],
)
def test_a_constraint_of_sqlite_is_known_by_its_name(
    database: sqlite3.Connection, row: tuple[object, ...], constraint: str
) -> None:
    error = error_of(database, INSERT, *row)

    assert isinstance(error, ConstraintViolated)
    assert SqliteConstraints(metadata).named(error).constraint == constraint


def test_a_missing_table_makes_the_storage_unavailable(database: sqlite3.Connection) -> None:
    assert isinstance(error_of(database, "SELECT 1 FROM nowhere"), StorageUnavailable)
    assert isinstance(error_of(database, "SELECT it FROM products"), StorageUnavailable)


def test_a_mistake_in_a_statement_is_not_an_application_error(
    database: sqlite3.Connection,
) -> None:
    assert error_of(database, "SELEKT") is None


@pytest.mark.parametrize("sqlstate", ["23505", "23514", "23503"])
def test_a_constraint_of_postgresql_is_known_by_its_name(sqlstate: str) -> None:
    error = asyncpg.PostgresError.new({"C": sqlstate, "M": "words", "n": "pk_products"})

    meaning = translated(error)

    assert isinstance(meaning, ConstraintViolated)
    assert meaning.constraint == "pk_products"


@pytest.mark.parametrize(
    "error", [ConnectionRefusedError(), TimeoutError(), asyncpg.InterfaceError("closed")]
)
def test_a_broken_connection_is_a_lost_connection(error: Exception) -> None:
    assert isinstance(translated(error), ConnectionLost)


def test_an_empty_pool_makes_the_storage_unavailable() -> None:
    assert isinstance(translated(sqlalchemy.exc.TimeoutError()), StorageUnavailable)


@pytest.mark.parametrize(
    "error",
    [asyncio.CancelledError(), KeyboardInterrupt(), ZeroDivisionError(), ValueError("x")],
)
def test_cancellations_and_defects_are_not_translated(error: BaseException) -> None:
    assert translated(error) is None


def test_what_sqlalchemy_wraps_is_unwrapped() -> None:
    wrapped = sqlalchemy.exc.IntegrityError("INSERT", {}, Exception())
    wrapped.__cause__ = sqlite3.IntegrityError("UNIQUE constraint failed: products.id")

    assert isinstance(translated(wrapped), ConstraintViolated)


def test_the_text_of_the_driver_is_left_out() -> None:
    secret = "a value of a row"
    for error in (
        asyncpg.PostgresError.new({"C": "40001", "M": secret, "D": secret}),
        asyncpg.PostgresError.new({"C": "23505", "M": secret, "n": "pk_products"}),
        ConnectionRefusedError(secret),
        asyncpg.InterfaceError(secret),
    ):
        assert secret not in str(translated(error))
