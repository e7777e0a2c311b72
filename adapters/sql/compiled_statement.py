from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Dialect

from adapters.sql.database import Parameters, Row, Statement

_Processor = Callable[[Any], Any]


class CompiledStatement:
    """A statement as its driver takes it: SQLAlchemy compiles it once, and how values travel in
    and out (a UUID as text on SQLite, for one) is SQLAlchemy's as well."""

    __slots__ = ("_columns", "_parameters", "sql")

    def __init__(self, statement: Statement, dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect)
        if compiled.post_compile_params or compiled.positiontup is None:
            raise TypeError(
                "a statement is compiled once for all its parameters: an IN with a list, or a "
                "literal value that is rendered late, needs another form (= ANY on PostgreSQL)"
            )
        binds = {name: bind.type for bind, name in compiled.bind_names.items()}
        self.sql = str(compiled)
        self._parameters: list[tuple[str, Any, _Processor | None]] = [
            (
                name,
                compiled.params[name],
                binds[name].dialect_impl(dialect).bind_processor(dialect),
            )
            for name in compiled.positiontup
        ]
        self._columns: list[tuple[int, _Processor]] = [
            (index, processor)
            for index, column in enumerate(compiled._result_columns)
            if (processor := column.type.dialect_impl(dialect).result_processor(dialect, None))
        ]

    def bind(self, parameters: Parameters) -> list[Any]:
        """Return the values in the order of the statement's placeholders."""
        return [
            processor(parameters.get(name, default)) if processor else parameters.get(name, default)
            for name, default, processor in self._parameters
        ]

    def rows(self, fetched: Sequence[Row]) -> Sequence[Row]:
        """Return what the driver fetched with Python values in every column."""
        if not self._columns or not fetched:
            return fetched
        # By column, not by row, so that the loops over a page's rows run in C.
        columns = list(zip(*fetched, strict=True))
        for index, processor in self._columns:
            columns[index] = tuple(map(processor, columns[index]))
        return list(zip(*columns, strict=True))
