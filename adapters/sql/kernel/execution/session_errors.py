"""Error handling for plain SQLAlchemy sessions, in addition to SQLAlchemy's own."""

from sqlalchemy import ExceptionContext, event
from sqlalchemy.exc import DataError, DBAPIError, OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.sql.kernel.errors.driver_errors import ConnectionUnfit, translated


def wrap_os_errors(engine: AsyncEngine) -> None:
    """Wrap errors of the operating system and timeouts within a statement in a `DBAPIError`, like
    the driver's other errors, and close connections that must not be used any more."""

    @event.listens_for(engine.sync_engine, "handle_error")
    def handle(context: ExceptionContext) -> DBAPIError | None:
        original = context.original_exception
        if isinstance(original, OSError):
            context.is_disconnect = True
            # A statement that times out says nothing about the other connections.
            context.invalidate_pool_on_disconnect = not isinstance(original, TimeoutError)
            return OperationalError(context.statement, None, original, hide_parameters=True)
        if isinstance(translated(original), ConnectionUnfit):
            context.is_disconnect = True
        return None


def wrap_value_errors(engine: AsyncEngine) -> None:
    """Raise a `DataError`, as other drivers do, for a value that Python's driver for SQLite cannot
    pass on: a number of more than 64 bits, or text with unpaired surrogates."""

    @event.listens_for(engine.sync_engine, "handle_error")
    def handle(context: ExceptionContext) -> DBAPIError | None:
        original = context.original_exception
        if isinstance(original, OverflowError | UnicodeEncodeError):
            return DataError(context.statement, None, original, hide_parameters=True)
        return None
