"""What errors do to a session of SQLAlchemy, beside what SQLAlchemy does itself."""

from sqlalchemy import ExceptionContext, event
from sqlalchemy.exc import DataError, DBAPIError, OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.sql.kernel.errors.driver_errors import ConnectionUnfit, translated


def wrap_os_errors(engine: AsyncEngine) -> None:
    """Make what the operating system and timers raise within a statement a `DBAPIError`, as all
    else that a driver raises is, and have a connection closed that must not be used any more."""

    @event.listens_for(engine.sync_engine, "handle_error")
    def handle(context: ExceptionContext) -> DBAPIError | None:
        original = context.original_exception
        if isinstance(original, OSError):
            context.is_disconnect = True
            # A late statement says nothing of the other connections.
            context.invalidate_pool_on_disconnect = not isinstance(original, TimeoutError)
            return OperationalError(context.statement, None, original, hide_parameters=True)
        if isinstance(translated(original), ConnectionUnfit):
            context.is_disconnect = True
        return None


def wrap_value_errors(engine: AsyncEngine) -> None:
    """Make it a `DataError`, as with other drivers, that Python's driver for SQLite cannot pass a
    value on: a number of more than 64 bits, or text that is no Unicode."""

    @event.listens_for(engine.sync_engine, "handle_error")
    def handle(context: ExceptionContext) -> DBAPIError | None:
        original = context.original_exception
        if isinstance(original, OverflowError | UnicodeEncodeError):
            return DataError(context.statement, None, original, hide_parameters=True)
        return None
