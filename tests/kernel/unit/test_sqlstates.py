"""Every SQLSTATE has a translation, or a reason to have none."""

from collections.abc import Mapping

import asyncpg
import pytest

from adapters.sql.kernel.errors.driver_errors import (
    ConnectionLost,
    ConnectionUnfit,
    ConstraintViolated,
    SchemaMissing,
    translated,
)
from adapters.sql.kernel.errors.sqlstates import MEANINGS
from application.kernel.errors import (
    ApplicationError,
    DataConflict,
    InvalidValue,
    StorageFull,
    StorageUnavailable,
    TransactionConflict,
)

STATEMENT = "a mistake in a statement"
SCHEMA = "a mistake in a function, a trigger or a grant of the schema"
# These end as a 500 with a traceback, because only a change of the program ends them.
WITHOUT_TRANSLATION = {
    "03": "not raised over the wire",
    "09": SCHEMA,
    "0B": STATEMENT,
    "0F": STATEMENT,
    "0L": SCHEMA,
    "0P": SCHEMA,
    "0Z": SCHEMA,
    "10": STATEMENT,
    "20": SCHEMA,
    "21": STATEMENT,
    "27": SCHEMA,
    "2B": STATEMENT,
    "2F": SCHEMA,
    "38": SCHEMA,
    "39": SCHEMA,
    "42": STATEMENT,
    "54": STATEMENT,
    "P0": SCHEMA,
}
ERRORS = {
    sqlstate: error
    for error in vars(asyncpg.exceptions).values()
    if isinstance(error, type)
    and issubclass(error, asyncpg.PostgresError)
    and (sqlstate := getattr(error, "sqlstate", None))
}


def error_of(sqlstate: str) -> asyncpg.PostgresError:
    details = {"C": sqlstate, "M": "words of the server", "n": "a_constraint"}
    error = asyncpg.PostgresError.new(details)
    assert isinstance(error, asyncpg.PostgresError)
    return error


def longest_match(mapping: Mapping[str, object], sqlstate: str) -> str:
    return max((start for start in mapping if sqlstate.startswith(start)), key=len, default="")


def test_the_driver_knows_the_list() -> None:
    assert len(ERRORS) > 200


@pytest.mark.parametrize("sqlstate", sorted(ERRORS))
def test_each_has_a_translation_or_a_reason_for_none(sqlstate: str) -> None:
    meaning = translated(error_of(sqlstate))

    if sqlstate.startswith("23"):
        assert isinstance(meaning, ConstraintViolated)
    elif meaning is None:
        assert longest_match(WITHOUT_TRANSLATION, sqlstate)
        assert not longest_match(MEANINGS, sqlstate)
    else:
        assert "words of the server" not in str(meaning)
        assert sqlstate in str(meaning)


@pytest.mark.parametrize("start", sorted(MEANINGS))
def test_no_entry_is_for_nothing(start: str) -> None:
    assert [each for each in ERRORS if longest_match(MEANINGS, each) == start]


@pytest.mark.parametrize("start", sorted(WITHOUT_TRANSLATION))
def test_no_reason_is_for_nothing(start: str) -> None:
    without = [each for each in ERRORS if each.startswith(start)]
    assert [each for each in without if translated(error_of(each)) is None]


@pytest.mark.parametrize(
    ("sqlstate", "meaning"),
    [
        ("40001", TransactionConflict),
        ("40P01", TransactionConflict),
        ("40003", ConnectionLost),
        ("53100", StorageFull),
        ("53300", StorageUnavailable),
        ("55P03", StorageUnavailable),
        ("57014", StorageUnavailable),
        ("57P01", ConnectionLost),
        ("57P05", ConnectionLost),
        ("08006", ConnectionLost),
        ("28P01", StorageUnavailable),
        ("3D000", StorageUnavailable),
        ("3F000", SchemaMissing),
        ("42P01", SchemaMissing),
        ("42501", StorageUnavailable),
        ("58P01", StorageUnavailable),
        ("XX001", StorageUnavailable),
        ("0A000", StorageUnavailable),
        ("25006", ConnectionUnfit),
        ("25P02", ConnectionUnfit),
        ("25P03", ConnectionLost),
        ("26000", ConnectionUnfit),
        ("42P05", ConnectionUnfit),
        ("22P05", InvalidValue),
        ("22003", InvalidValue),
        ("23514", InvalidValue),
        ("23502", InvalidValue),
        ("23505", DataConflict),
        ("23503", DataConflict),
        ("23001", DataConflict),
        ("23P01", DataConflict),
    ],
)
def test_the_meaning_is(sqlstate: str, meaning: type[ApplicationError]) -> None:
    found = translated(error_of(sqlstate))

    assert isinstance(found, meaning)
    # What is translated to the wider class is no case of a narrower one.
    assert not (meaning is StorageUnavailable and type(found) is not StorageUnavailable)


@pytest.mark.parametrize("sqlstate", ["42601", "21000", "P0001", "99999", "54011"])
def test_a_defect_and_what_is_unknown_have_none(sqlstate: str) -> None:
    assert translated(error_of(sqlstate)) is None


def test_an_outdated_plan_is_a_reason_to_retry() -> None:
    assert isinstance(translated(asyncpg.InvalidCachedStatementError("")), TransactionConflict)


@pytest.mark.parametrize(
    ("cause", "meaning"),
    [(OverflowError(), InvalidValue), (TypeError(), type(None)), (AttributeError(), type(None))],
)
def test_a_value_of_another_type_is_a_programming_error(
    cause: Exception, meaning: type[ApplicationError]
) -> None:
    """The driver checks each value that it sends, and names what the check raised as the cause."""
    error = asyncpg.DataError("invalid input for query argument $1")
    error.__cause__ = cause

    assert isinstance(translated(error), meaning)
