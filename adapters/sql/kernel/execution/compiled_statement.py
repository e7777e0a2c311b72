"""The fast path for statements: SQLAlchemy compiles them, and the driver executes them directly.

SQLAlchemy compiles a statement once for each set of parameter names and caches it, and its types
convert parameters and results, both as in its own execution. A statement that needs more than that
has no fast path: one with a default that Python computes, a parameter that is rendered late, an
execution option or literal text, and one with wrong parameters. SQLAlchemy executes or rejects it.

This is the only module that uses SQLAlchemy's compiled internals, which are not documented.
tests/kernel/statements/test_as_sqlalchemy.py compares every kind of statement with SQLAlchemy's
execution.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import CompoundSelect, Delete, Dialect, Insert, Select, Update
from sqlalchemy.sql.compiler import ResultColumnsEntry, SQLCompiler
from sqlalchemy.sql.elements import ColumnClause, TextClause

from adapters.sql.kernel.execution.database import OneOrMore, Parameters, Row, Statement
from adapters.sql.kernel.execution.times_as_text import to_times, with_times_as_text

CACHE_SIZE = 500
_Processor = Callable[[Any], Any]


class CompiledStatements:
    """The statements of one dialect that have a fast path, compiled and cached on first use."""

    def __init__(self, dialect: Dialect) -> None:
        @lru_cache(maxsize=CACHE_SIZE)
        def compiled(statement: Statement, names: tuple[str, ...]) -> CompiledStatement | None:
            return compile_statement(statement, names, dialect)

        self._compiled = compiled

    def bound(
        self, statement: Statement, parameters: OneOrMore
    ) -> "tuple[CompiledStatement, list[Any]] | None":
        """Return the compiled statement and its parameter values in the order of the placeholders,
        or None if SQLAlchemy has to execute the statement."""
        if not isinstance(parameters, (dict, Mapping)):  # a dict is recognized faster
            return None
        try:
            compiled = self._compiled(statement, tuple(parameters))
            if compiled and compiled.has_unusual_times:
                compiled = compiled.as_written
            return (compiled, compiled.bind(parameters)) if compiled else None
        except Exception:
            # A parameter is missing, its type rejects its value, or the statement cannot be
            # compiled. SQLAlchemy's execution raises the error that is documented for that.
            return None


class CompiledStatement:
    """A statement's SQL, and the conversion of its parameters and of its rows."""

    __slots__ = (
        "_binds",
        "_defaults",
        "_dialect",
        "_result_types",
        "_times",
        "as_written",
        "has_unusual_times",
        "processors",
        "sql",
    )

    as_written: "CompiledStatement | None"
    """The statement without the casts of its times to text, if it has any."""
    has_unusual_times: bool
    """Whether it returned a time that cannot be read as text."""
    processors: list[tuple[int, _Processor]] | None
    """Which columns to convert, by position, and how; None as long as that depends on types that
    the database has yet to report."""

    def __init__(
        self,
        compiled: SQLCompiler,
        dialect: Dialect,
        times: Sequence[int] = (),
        as_written: "CompiledStatement | None" = None,
    ) -> None:
        """`times` are the positions of the columns whose times are read as text."""
        self.sql = compiled.string
        self._times = times
        self.as_written = as_written
        self.has_unusual_times = False
        self._dialect = dialect
        self._defaults: dict[str, Any] = {}
        by_name = {name: bind for bind, name in compiled.bind_names.items()}
        self._binds: list[tuple[str, _Processor | None]] = []
        for name in compiled.positiontup or ():
            bind = by_name[name]
            key = name if bind.unique else bind.key
            if not bind.required:
                self._defaults[key] = bind.effective_value
            self._binds.append((key, bind.type.dialect_impl(dialect).bind_processor(dialect)))
        # A RETURNING that SQLAlchemy adds by itself, for the primary key, is no result.
        has_result = not compiled.implicit_returning
        self._result_types = [column.type for column in compiled._result_columns if has_result]
        try:
            self.processors = self._processors([_UNKNOWN] * len(self._result_types))
        except _DependsOnDatabaseError:
            self.processors = None

    def bind(self, parameters: Parameters) -> list[Any]:
        """Return the parameter values in the order of the placeholders.

        Raises `KeyError` if one is missing, and what a parameter's type raises for its value.
        """
        if self._defaults:
            parameters = {**self._defaults, **parameters}
        return [
            processor(parameters[key]) if processor else parameters[key]
            for key, processor in self._binds
        ]

    def learn(self, database_types: Sequence[Any]) -> None:
        """Set the types that the database reported for the columns of the result."""
        self.processors = self._processors(database_types)

    def rows(self, fetched: Sequence[Row]) -> Sequence[Row]:
        """Return the fetched rows with converted values.

        Raises `UnusualTimeError` if the statement has to be executed as it was written.
        """
        if not self._result_types:
            return ()
        if not fetched or not (self.processors or self._times):
            return fetched
        # Convert by column, not by row: so the loops over the rows run in C.
        columns: list[Iterable[Any]] = list(zip(*fetched, strict=True))
        for index in self._times:
            columns[index] = to_times(columns[index])
        for index, processor in self.processors or ():
            columns[index] = map(processor, columns[index])
        return list(zip(*columns, strict=True))

    def _processors(self, database_types: Sequence[Any]) -> list[tuple[int, _Processor]]:
        return [
            (index, processor)
            for index, (type_, reported) in enumerate(
                zip(self._result_types, database_types, strict=True)
            )
            if (
                processor := type_.dialect_impl(self._dialect).result_processor(
                    self._dialect, reported
                )
            )
        ]


class _DependsOnDatabaseError(Exception):
    """The conversion of a column depends on the type that the database reports for it."""


class _UnknownType:
    """The database type of a column before it is known. `Numeric`, for one, converts asyncpg's
    values by that type."""

    def __eq__(self, other: object) -> bool:
        raise _DependsOnDatabaseError

    def __hash__(self) -> int:
        raise _DependsOnDatabaseError


_UNKNOWN = _UnknownType()


def compile_statement(
    statement: Statement, names: Sequence[str], dialect: Dialect
) -> CompiledStatement | None:
    """Return the statement, compiled for parameters of these names, or None if it has no fast path.

    Raises what SQLAlchemy raises if the statement cannot be compiled.
    """
    if (
        not isinstance(statement, Select | CompoundSelect | Insert | Update | Delete)
        or statement.get_execution_options()
        or statement._propagate_attrs  # a statement of mapped classes
        or getattr(statement, "_return_defaults", False)
    ):
        return None
    compiled = statement.compile(dialect=dialect, column_keys=sorted(names))
    is_fast = (
        compiled.positional
        and not compiled.insert_prefetch
        and not compiled.update_prefetch
        and not compiled.post_compile_params
        and not compiled.literal_execute_params
        and not compiled.escaped_bind_names
        and not getattr(compiled, "_collected_params", None)
        and not any(bind.callable for bind in compiled.bind_names)
        and _columns_are_positional(compiled)
    )
    if not is_fast:
        return None
    fast = CompiledStatement(compiled, dialect)
    if as_text := with_times_as_text(statement, dialect):
        query, times = as_text
        compiled = query.compile(dialect=dialect, column_keys=sorted(names))
        return CompiledStatement(compiled, dialect, times, fast)
    return fast


def _columns_are_positional(compiled: SQLCompiler) -> bool:
    return (
        compiled._ordered_columns
        and not compiled._textual_ordered_columns
        and not compiled._ad_hoc_textual
        and not compiled._loose_column_name_matching
        and not any(_may_be_several(column) for column in compiled._result_columns)
    )


def _may_be_several(column: ResultColumnsEntry) -> bool:
    """Return whether the column is literal SQL, which can be several columns."""
    return any(
        isinstance(part, TextClause) or (isinstance(part, ColumnClause) and part.is_literal)
        for part in column.objects or ()
    )
