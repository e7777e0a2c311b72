"""Log lines on standard output: JSON in a pipe or a file, readable on a terminal."""

import io
import logging
import os
import sys
from datetime import UTC, datetime
from typing import Any, BinaryIO, TextIO, cast

import orjson
import stamina
import structlog
from stamina.instrumentation import RetryDetails
from structlog.typing import EventDict, Processor

from entrypoints.kernel.log_stream import LogStream


def _add_time(_logger: object, _method: str, event: EventDict) -> EventDict:
    # structlog's own formats the time in Python, which takes ten times as long as orjson.
    event["timestamp"] = datetime.now(UTC)
    return event


_SHARED: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    _add_time,
]
_AS_JSON: dict[str, Any] = {"default": str, "option": orjson.OPT_UTC_Z}


def configure_logging(output: TextIO | None = None) -> None:
    """Write the log of structlog and of libraries that use `logging` to the output, by default to
    standard output. A line that cannot be written is dropped (`LogStream`)."""
    stream = cast(BinaryIO, LogStream(_descriptor(output or sys.stdout), _notice))
    terminal = stream.isatty()
    text = io.TextIOWrapper(stream, "utf-8", "backslashreplace", write_through=True)
    # Tracebacks never show local variables: these may contain passwords and bodies.
    traceback: list[Processor] = (
        []
        if terminal
        else [
            structlog.processors.ExceptionRenderer(
                structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
            )
        ]
    )
    render: Processor = (
        structlog.dev.ConsoleRenderer(
            exception_formatter=structlog.dev.plain_traceback,
        )
        if terminal
        else structlog.processors.JSONRenderer(serializer=orjson.dumps, **_AS_JSON)
    )
    structlog.configure(
        processors=[*_SHARED, *traceback, render],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=(
            structlog.PrintLoggerFactory(text) if terminal else structlog.BytesLoggerFactory(stream)
        ),
        cache_logger_on_first_use=True,
    )
    # stamina's own hooks log a use case's arguments, which are the client's data.
    stamina.instrumentation.set_on_retry_hooks([_log_retry])
    handler = logging.StreamHandler(text)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*_SHARED, structlog.stdlib.add_logger_name],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *traceback,
                render
                if terminal
                else structlog.processors.JSONRenderer(serializer=_dumps, **_AS_JSON),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    # Alembic logs each of its plugins that it finds.
    logging.getLogger("alembic.runtime.plugins").setLevel(logging.WARNING)
    # SQLAlchemy adds a handler of its own for `echo` if there is none.
    logging.getLogger("sqlalchemy.engine.Engine").addHandler(logging.NullHandler())


def _log_retry(details: RetryDetails) -> None:
    structlog.get_logger("application").info(
        "use case is retried",
        use_case=details.name.rpartition(".")[2],
        reason=type(details.caused_by).__name__,
    )


def _descriptor(output: TextIO | None) -> int:
    """Return the output's file descriptor; that of the null device if the process was started with
    its standard output closed."""
    return os.open(os.devnull, os.O_WRONLY) if output is None else output.fileno()


def _notice(lines: int, reason: str) -> bytes:
    event = {
        "event": "log lines were dropped",
        "lines": lines,
        "reason": reason,
        "level": "error",
        "timestamp": datetime.now(UTC),
    }
    return orjson.dumps(event, **_AS_JSON) + b"\n"


def _dumps(value: Any, **options: Any) -> str:
    return orjson.dumps(value, **options).decode()
