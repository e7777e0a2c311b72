"""Statements that skip SQLAlchemy's execution still tell its log and its event listeners."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Connection, PoolProxiedConnection
from sqlalchemy.ext.asyncio import AsyncEngine

_UNWATCHED = nullcontext()


class StatementEvents:
    """Serves `echo` and the engine's cursor events, which tracing libraries listen to.

    Listeners can see a statement, not alter it.
    """

    def __init__(self, engine: AsyncEngine, own_error_listeners: int = 0) -> None:
        """`own_error_listeners` is how many listeners for errors the engine has of its own, which
        are no reason to tell of statements."""
        self._engine = engine.sync_engine
        self._own_error_listeners = own_error_listeners
        self._listeners: Any = engine.sync_engine.dispatch
        self._error_listeners: Any = engine.sync_engine.dialect.dispatch

    def around(
        self, pooled: PoolProxiedConnection, sql: str, values: Sequence[Any]
    ) -> AbstractContextManager[None]:
        """Return the block in which to run the statement; nearly free if nobody watches."""
        return self._watched(pooled, sql, values) if self.are_watched else _UNWATCHED

    @property
    def are_watched(self) -> bool:
        """Whether anybody wants to know of statements."""
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
