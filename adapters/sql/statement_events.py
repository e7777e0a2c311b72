"""Statements that skip SQLAlchemy's execution still tell its log and its event listeners."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Connection, PoolProxiedConnection
from sqlalchemy.ext.asyncio import AsyncEngine

_UNWATCHED = nullcontext()


class StatementEvents:
    """Serves `echo` and the engine's cursor events, which tracing libraries listen to.

    Listeners can see a statement, not alter it.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine.sync_engine
        self._listeners: Any = engine.sync_engine.dispatch
        self._error_listeners: Any = engine.sync_engine.dialect.dispatch

    def around(
        self, lease: PoolProxiedConnection, sql: str, values: Sequence[Any]
    ) -> AbstractContextManager[None]:
        """Return the block in which to run the statement; nearly free if nobody watches."""
        return self._watched(lease, sql, values) if self._has_watchers() else _UNWATCHED

    def _has_watchers(self) -> bool:
        return bool(
            self._engine.echo
            or self._listeners.before_cursor_execute
            or self._listeners.after_cursor_execute
        )

    def around_all(
        self, lease: PoolProxiedConnection, statements: Iterable[tuple[str, Sequence[Any]]]
    ) -> AbstractContextManager[object]:
        """Return the block in which to run several statements."""
        if not self._has_watchers():
            return _UNWATCHED
        stack = ExitStack()
        for sql, values in statements:
            stack.enter_context(self._watched(lease, sql, values))
        return stack

    @contextmanager
    def _watched(
        self, lease: PoolProxiedConnection, sql: str, values: Sequence[Any]
    ) -> Iterator[None]:
        engine, listeners = self._engine, self._listeners
        if engine.echo:
            engine.logger.info(sql)
            engine.logger.info("%s", "[hidden]" if engine.hide_parameters else values)
        connection = Connection(engine, connection=lease)
        # Listeners keep what they need between the events here, as on an execution context.
        context = SimpleNamespace(compiled=None, cursor=None, statement=sql, parameters=values)
        for listener in listeners.before_cursor_execute:
            listener(connection, None, sql, values, context, False)
        try:
            yield
        except Exception as error:
            for listener in self._error_listeners.handle_error:
                listener(
                    SimpleNamespace(
                        engine=engine,
                        connection=connection,
                        dialect=engine.dialect,
                        cursor=None,
                        statement=sql,
                        parameters=values,
                        original_exception=error,
                        sqlalchemy_exception=None,
                        chained_exception=None,
                        execution_context=context,
                        is_disconnect=False,
                        is_pre_ping=False,
                        invalidate_pool_on_disconnect=False,
                    )
                )
            raise
        for listener in listeners.after_cursor_execute:
            listener(connection, None, sql, values, context, False)
