"""SQLAlchemy's statement log (`echo`) and cursor events, for statements on the fast path."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Connection, PoolProxiedConnection
from sqlalchemy.ext.asyncio import AsyncEngine

_UNWATCHED = nullcontext()


class StatementEvents:
    """Logs statements and calls the engine's event listeners, as SQLAlchemy's execution does.

    Tracing libraries listen to these events. Listeners can see a statement but not change it.
    """

    def __init__(self, engine: AsyncEngine, own_error_listeners: int = 0) -> None:
        """`own_error_listeners` is the number of error listeners that the engine was built with;
        they do not need to see statements on the fast path."""
        self._engine = engine.sync_engine
        self._own_error_listeners = own_error_listeners
        self._listeners: Any = engine.sync_engine.dispatch
        self._error_listeners: Any = engine.sync_engine.dialect.dispatch

    def around(
        self, pooled: PoolProxiedConnection, sql: str, values: Sequence[Any]
    ) -> AbstractContextManager[None]:
        """Return the context manager to execute the statement in; nearly free without listeners."""
        return self._watched(pooled, sql, values) if self.are_watched else _UNWATCHED

    @property
    def are_watched(self) -> bool:
        """Whether `echo` is on or there are listeners."""
        return bool(
            self._engine.echo
            or self._listeners.before_cursor_execute
            or self._listeners.after_cursor_execute
            or len(self._error_listeners.handle_error) > self._own_error_listeners
        )

    @contextmanager
    def _watched(
        self, pooled: PoolProxiedConnection, sql: str, values: Sequence[Any]
    ) -> Iterator[None]:
        engine, listeners = self._engine, self._listeners
        if engine.echo:
            engine.logger.info(sql)
            engine.logger.info("%s", "[hidden]" if engine.hide_parameters else values)
        connection = Connection(engine, connection=pooled)
        # Listeners store their own state on it between events, as on an execution context.
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
